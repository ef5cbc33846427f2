"""What counts as a right drive in each kind of scenario, and the row that a drive leaves.

reach: the goal, without ever leaving the road.
stop_or_reach: with a car in the lane, standing behind it within 15 m and without contact; without
one, the goal, never standing for more than 6 s.
follow: no contact, not off the road, half of the way that the leader left open, and driving on
again after standing behind it.
town: the goal, without contact, off the route or over a red signal.
safe (the suite): no contact, not off the road, no red signal, no stop beyond its line, no wrong
way, and 80 % of the way that traffic left open.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.scenario import Scenario

FOLLOWED = 0.5  # least progress of a drive behind a leader
ARRIVED = 0.8  # least progress of a drive of the suite: AlpaSim's full score


@dataclass(frozen=True, slots=True)
class Row:
    """One drive in figures; ``gap_m`` to the car ahead at the end, None without one.

    ``moved_on``: whether the ego drove on after standing; None where it never stood.
    ``contact``: what was touched first; the next three as ``simulation.road_rules`` defines them,
    the last two as ``simulation.forks`` does.
    """

    name: str
    seed: int
    mode: str
    duration_s: float
    distance_m: float
    collisions_at_fault: int
    offroad_s: float
    progress: float
    score: float
    end: str
    mean_offset_m: float
    max_offset_m: float
    collisions: int
    stops: int
    restarts: int
    left_lane: bool
    gap_m: float | None
    moved_on: bool | None
    right: bool
    plans: int
    fallback_plans: int
    first_plan_s: float | None
    red_lights: int
    contact: str = ''
    speeding_s: float = 0.0
    wrong_way_s: float = 0.0
    stop_lines: int = 0
    exits: int = 0
    missed_exits: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return asdict(self)


def right(scenario: Scenario, outcome: Outcome, has_lead: bool) -> bool:
    """The verdict on a finished drive, by the scenario's own rule."""
    clean = not outcome.collisions and outcome.offroad_s == 0
    if scenario.verdict in ('reach', 'town'):
        return clean and outcome.end == 'goal' and not outcome.red_lights
    if scenario.verdict == 'safe':
        rules = outcome.rules
        kept = not (outcome.red_lights or rules.stop_lines or rules.wrong_way_s)
        return clean and kept and outcome.progress >= ARRIVED
    if scenario.verdict == 'stop_or_reach':
        return clean and outcome.end == ('stopped' if has_lead else 'goal')
    followed = outcome.end in ('time', 'goal') and outcome.progress >= FOLLOWED
    return clean and followed and moved_on(outcome) is not False


def moved_on(outcome: Outcome) -> bool | None:
    """Whether the ego drove on after standing; None where it never stood on the way."""
    return None if outcome.stops == 0 else outcome.restarts >= 1


def row(
    scenario: Scenario,
    outcome: Outcome,
    has_lead: bool,
    plans: tuple[int, int],
    first_plan_s: float | None,
) -> Row:
    """The figures of a drive; ``plans``: of the model and stops."""
    return Row(
        name=scenario.name,
        seed=outcome.seed,
        mode='lockstep',
        duration_s=round(outcome.duration_s, 3),
        distance_m=round(outcome.distance_m, 3),
        collisions_at_fault=outcome.collisions_at_fault,
        offroad_s=round(outcome.offroad_s, 3),
        progress=round(outcome.progress, 4),
        score=round(outcome.score, 4),
        end=outcome.end,
        mean_offset_m=round(outcome.mean_offset_m, 4),
        max_offset_m=round(outcome.offset_max_m, 4),
        collisions=outcome.collisions,
        stops=outcome.stops,
        restarts=outcome.restarts,
        left_lane=outcome.left_lane_m < math.inf,
        gap_m=round(outcome.gap_m, 3) if math.isfinite(outcome.gap_m) else None,
        moved_on=moved_on(outcome),
        right=right(scenario, outcome, has_lead),
        plans=plans[0],
        fallback_plans=plans[1],
        first_plan_s=first_plan_s,
        red_lights=outcome.red_lights,
        contact=outcome.contact,
        speeding_s=outcome.rules.speeding_s,
        wrong_way_s=outcome.rules.wrong_way_s,
        stop_lines=outcome.rules.stop_lines,
        exits=outcome.exits,
        missed_exits=outcome.missed_exits,
    )
