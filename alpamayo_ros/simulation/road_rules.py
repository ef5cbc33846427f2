"""Rules of the road and who is at fault, accounted for step by step.

At fault: a contact while the ego moves (faster than 0.1 m/s) in which it touches with its own
front half, or in which it touches a vehicle that stands, anything that stands by nature (debris,
cones, barriers) or anybody on foot or on a bicycle, with whichever side; and one beside a vehicle
that moves where the ego is in two lanes.  Being hit from behind, by somebody faster, or while it
stands is not its fault.

Red light: the bumper crosses the stop line of a link that shows red (``Outcome.red_lights``).
Stop line: the ego stands with its bumper up to 10 m beyond a stop line that shows red, counted
once a stop; in a recorded scene also: it drives past where the recorded driver stands meanwhile.
Speed limit: faster than what signs say by more than 0.5 m/s.  Wrong way: the ego's middle lies
where traffic comes towards it, or it points backwards, while it moves; not where road works lead
there.

These are the simulator's, which knows every line and lane.  ``metrics.rules`` judges
any drive by CARLA's and nuPlan's definitions; its stop line is that of a stop sign.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ALWAYS_AT_FAULT = frozenset(
    {'pedestrian', 'cyclist', 'debris_box', 'debris_tyre', 'cone', 'barrier'}
)
TOLERANCE_MPS = 0.5
MOVING_MPS, STANDING_MPS = 0.5, 0.1
BEYOND_LINE_M = 10.0
OVER_LINE_M = 1.5  # a stop line so far behind the bumper still is the next


@dataclass(slots=True)
class Rules:
    """What was broken so far, beside red lights."""

    speeding_s: float = 0.0
    wrong_way_s: float = 0.0
    stop_lines: int = 0
    _beyond: bool = False

    def note_speed(self, speed_mps: float, limit_mps: float | None, dt_s: float) -> None:
        """Account for a step at this speed; ``limit_mps`` None: no sign."""
        if limit_mps is not None and speed_mps > limit_mps + TOLERANCE_MPS:
            self.speeding_s = round(self.speeding_s + dt_s, 6)

    def note_way(
        self, speed_mps: float, offset_m: float, edge_m: float, turned_rad: float, dt_s: float
    ) -> None:
        """Account for a step with the ego's middle at ``offset_m``.

        The wrong way begins left of ``edge_m``.
        """
        backwards = math.cos(turned_rad) < 0
        if speed_mps > MOVING_MPS and (offset_m > edge_m or backwards):
            self.wrong_way_s = round(self.wrong_way_s + dt_s, 6)

    def note_line(self, speed_mps: float, beyond_m: float | None) -> None:
        """Account for standing ``beyond_m`` past a stop line at red; None: there is none."""
        over = beyond_m is not None and 0 < beyond_m < BEYOND_LINE_M
        standing = speed_mps < STANDING_MPS
        self.stop_lines += int(over and standing and not self._beyond)
        self._beyond = over and (standing or self._beyond)
