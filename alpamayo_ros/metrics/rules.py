"""Traffic rules kept or broken along a drive, from one row a step.

A rate is None where the rule never applied: no light passed, no limit known, no lane known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

STOPPED_MPS = 0.1  # CARLA scenario_runner, RunningStopTest: this slow counts as stopped
STOP_ZONE_M = 4.0  # the same: a stop further than this before the line does not count
AGAINST_M, AGAINST_S = 2.0, 1.0  # nuPlan, driving_direction_compliance: 2 m within 1 s


@dataclass(frozen=True, slots=True)
class RuleStep:
    """What the rules need of one step; None or '' where it does not apply or is not known.

    ``line_m``: signed distance [m] along the lane from the front bumper to the line ``line_id``
    (negative beyond it), reported until it is passed.  ``light``: what governs that line shows.
    ``lane_angle_rad``: the ego's heading against the direction of the lane it is in.
    """

    dt_s: float
    speed_mps: float
    line_id: str = ''
    line_kind: Literal['', 'light', 'stop'] = ''
    line_m: float | None = None
    light: Literal['', 'red', 'yellow', 'green'] = ''
    limit_mps: float | None = None
    lane_angle_rad: float | None = None


class Violations(NamedTuple):
    """How often a rule was broken, of how many times it applied."""

    broken: int
    applied: int

    @property
    def rate(self) -> float | None:
        """Share, 0 to 1; None where the rule never applied."""
        return self.broken / self.applied if self.applied else None


def _passages(steps: Sequence[RuleStep], kind: str) -> list[int]:
    """Indices of the first step beyond each line of ``kind``."""
    found = []
    for i, (a, b) in enumerate(zip(steps, steps[1:], strict=False), 1):
        known = a.line_m is not None and b.line_m is not None
        same = a.line_id == b.line_id and a.line_kind == b.line_kind == kind
        if known and same and a.line_m > 0.0 >= b.line_m:  # type: ignore[operator]
            found.append(i)
    return found


def red_light(steps: Sequence[RuleStep]) -> Violations:
    """Lights whose line the front bumper passed on red, of all lights passed.

    The colour is the one shown in the step in which the line was reached, as in CARLA's
    RunningRedLightTest.
    """
    passed = _passages(steps, 'light')
    return Violations(sum(steps[i].light == 'red' for i in passed), len(passed))


def stop_line(steps: Sequence[RuleStep]) -> Violations:
    """Stop signs passed without standing (<= 0.1 m/s) within 4 m before the line.

    After CARLA's RunningStopTest.
    """
    passed = _passages(steps, 'stop')
    return Violations(sum(not _stood_before(steps, i) for i in passed), len(passed))


def _stood_before(steps: Sequence[RuleStep], passage: int) -> bool:
    line = steps[passage].line_id
    for step in reversed(steps[:passage]):
        if step.line_id != line or step.line_m is None or step.line_m > STOP_ZONE_M:
            return False
        if step.speed_mps <= STOPPED_MPS:
            return True
    return False


def speed_limit(steps: Sequence[RuleStep], tolerance_mps: float = 0.0) -> float | None:
    """Share of the time with a known limit that was driven faster than it, 0 to 1."""
    known = [s for s in steps if s.limit_mps is not None]
    total = sum(s.dt_s for s in known)
    over = sum(s.dt_s for s in known if _over(s) > tolerance_mps)
    return over / total if total > 0 else None


def _over(step: RuleStep) -> float:
    """Speed above the limit; a speed that is not finite counts as too fast (fail closed)."""
    limit = math.inf if step.limit_mps is None else step.limit_mps
    return max(step.speed_mps - limit, 0.0) if math.isfinite(step.speed_mps) else math.inf


def speed_over_limit(steps: Sequence[RuleStep]) -> float | None:
    """Largest speed above the limit [m/s]; 0 where it was kept."""
    return max((_over(s) for s in steps if s.limit_mps is not None), default=None)


def wrong_way(steps: Sequence[RuleStep]) -> float | None:
    """1.0 where the ego drove 2 m or more against its lane within 1 s, else 0.0.

    nuPlan's driving_direction_compliance (score below 1).  Way along the lane in a step: speed *
    dt * cos(angle); a step outside any lane adds none.
    """
    if all(s.lane_angle_rad is None for s in steps):
        return None
    along = [
        0.0 if s.lane_angle_rad is None else s.speed_mps * s.dt_s * math.cos(s.lane_angle_rad)
        for s in steps
    ]
    return float(any(_against(steps, along, i) >= AGAINST_M for i in range(len(steps))))


def _against(steps: Sequence[RuleStep], along: Sequence[float], end: int) -> float:
    """Way [m] against the lane in the last second up to step ``end``."""
    time = way = 0.0
    for i in range(end, -1, -1):
        time += steps[i].dt_s
        if time > AGAINST_S + 1e-9:
            break
        way += along[i]
    return -way


def per_km(events: int, distance_m: float) -> float | None:
    """Events a kilometre driven; None where nothing was driven."""
    return events / (distance_m / 1000.0) if distance_m > 0 else None
