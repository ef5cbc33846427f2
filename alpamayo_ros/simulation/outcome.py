"""How a drive went: bookkeeping from step to step, and when it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from alpamayo_ros.simulation.road import EDGES_M
from alpamayo_ros.simulation.road_rules import Rules
from alpamayo_ros.simulation.scenario import Scenario

IN_LANE_M = 1.75
STANDING_MPS = 0.1
MOVING_MPS = 1.0
STOPPED_S = 2.0  # standing this long behind a stopped car is an arrival
STALLED_S = 6.0  # standing this long with no car within ``STOP_GAP_M`` is a failure
STOP_GAP_M = 15.0
ROAD_MARGIN_M = 40.0
WAIT_S = 12.0  # longer than a leader stands

End = Literal['', 'goal', 'stopped', 'stalled', 'passed', 'collision', 'offroad', 'time']


@dataclass(slots=True)
class Outcome:
    """A drive so far; distances along the lane from the start.  ``end`` is '' while it runs.

    ``left_lane_m``/``collisions_at_fault``: where the lane was first left (|offset| > 1.75 m;
    inf if never), and contacts with the ego's front while it moved.  ``restarts``: times it
    moved on after standing behind a car.  ``reachable_m``: the distance that traffic allowed.
    ``idle_s``: how long it has stood with nothing within 15 m to wait for.  ``contact``: the kind
    of agent that was touched first.  ``unhurried``: a person arms; neither standing nor the
    scenario's time ends the drive.  ``exits``, ``missed_exits``: see ``simulation.forks``.
    """

    scenario: str
    seed: int
    end: End = ''
    distance_m: float = 0.0
    duration_s: float = 0.0
    offset_sum_m: float = 0.0
    offset_max_m: float = 0.0
    offset_m: float = 0.0  # of the last step, to either side
    steps: int = 0
    left_lane_m: float = math.inf
    offroad_s: float = 0.0
    collisions: int = 0
    collisions_at_fault: int = 0
    stops: int = 0
    restarts: int = 0
    gap_m: float = math.inf
    reachable_m: float = math.inf
    standing_s: float = 0.0
    idle_s: float = 0.0
    moved: bool = False
    red_lights: int = 0
    contact: str = ''
    unhurried: bool = False
    exits: int = 0
    missed_exits: int = 0
    rules: Rules = field(default_factory=Rules)

    @property
    def mean_offset_m(self) -> float:
        """Mean distance from the lane centre."""
        return self.offset_sum_m / max(self.steps, 1)

    @property
    def progress(self) -> float:
        """Share of the reachable distance that was driven; 1 where that is less than 5 m."""
        if self.reachable_m < 5.0:
            return 1.0
        return float(min(max(self.distance_m / self.reachable_m, 0.0), 1.0))

    @property
    def score(self) -> float:
        """AlpaSim's: 0 after an at-fault collision or off the road, else min(progress/0.8, 1)."""
        if self.collisions_at_fault or self.offroad_s > 0:
            return 0.0
        return min(self.progress / 0.8, 1.0)

    @property
    def succeeded(self) -> bool:
        """Without contact or leaving the road: at the goal, stopped, or followed to the end."""
        return (
            self.end in ('goal', 'stopped', 'time') and not self.collisions and self.offroad_s == 0
        )

    def note(
        self,
        distance_m: float,
        offset_m: float,
        speed_mps: float,
        gap_m: float,
        dt_s: float,
        shift_m: float = 0.0,
        edges_m: tuple[float, float] = EDGES_M,
    ) -> None:
        """Account for one step that ended with this state.

        ``gap_m`` to the car ahead, inf if none; ``shift_m``: where the way lies beside the lane
        centre, at road works; ``edges_m``: the road's, right and left of the lane centre.
        """
        edge_m, offset_m = offset_m, offset_m - shift_m
        self.steps += 1
        self.duration_s = round(self.duration_s + dt_s, 6)
        self.distance_m, self.gap_m = distance_m, gap_m
        self.offset_m = abs(offset_m)
        self.offset_sum_m += self.offset_m
        self.offset_max_m = max(self.offset_max_m, self.offset_m)
        if self.offset_m > IN_LANE_M:
            self.left_lane_m = min(self.left_lane_m, distance_m)
        if not edges_m[0] <= edge_m <= edges_m[1]:
            self.offroad_s += dt_s
        if speed_mps < STANDING_MPS:
            self.stops += int(self.moved and self.standing_s == 0)
            self.standing_s += dt_s
            self.idle_s = self.idle_s + dt_s if gap_m >= STOP_GAP_M else 0.0
        elif speed_mps > MOVING_MPS:
            self.idle_s = 0.0
            self.restarts += int(self.moved and self.standing_s > 0)
            self.standing_s, self.moved = 0.0, True

    def conclude(self, scenario: Scenario, leader_is_parked: bool, road_left_m: float) -> None:
        """Set ``end`` if the drive is over."""
        if self.collisions:
            self.end = 'collision'
        elif self.offroad_s > 0:
            self.end = 'offroad'
        elif leader_is_parked and self.gap_m < STOP_GAP_M and self.standing_s >= STOPPED_S:
            self.end = 'stopped'
        elif self.idle_s >= STALLED_S and not self.unhurried:
            self.end = 'stalled'
        elif self.distance_m >= scenario.goal_m or road_left_m < ROAD_MARGIN_M:
            self.end = 'goal'
        elif self.unhurried or self._may_move_on(scenario):
            return
        elif self.duration_s >= scenario.duration_s - 1e-6:
            self.end = 'time'

    def _may_move_on(self, scenario: Scenario) -> bool:
        """Whether the ego stands for the first time as time runs out: nothing is decided then."""
        waiting = self.standing_s > 0 and self.stops > 0 and self.restarts == 0
        return waiting and self.duration_s < scenario.duration_s + WAIT_S
