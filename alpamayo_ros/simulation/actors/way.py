"""The way a good driver takes where the lane is not free.

It is given as shifts of the lane centre, and how slow they have to be driven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.simulation.actors.actor import Placed
from alpamayo_ros.simulation.actors.track import smooth
from alpamayo_ros.simulation.scenario import ACROSS_M, Closure

LATERAL_MPS2 = 1.2
BRAKING_MPS2 = 1.5
AFTER_M = 6.0  # the rear axle is so far past the last thing before the way turns back
BEFORE_M = 7.0  # and the way over is complete so far before the first
RAMP_PER_M = 7.0  # metres along the road for a metre aside
RAMP_LEAST_M = 8.0


@dataclass(frozen=True, slots=True)
class Shift:
    """The way lies ``shift_m`` left of the lane centre between two arcs of the rear axle.

    It comes and goes over ``ramp_m``.  ``by``: ids of the agents it leads past.
    """

    from_m: float
    to_m: float
    shift_m: float
    ramp_m: float
    by: tuple[int, ...] = ()

    def at(self, arc_m: float) -> float:
        """The shift at ``arc_m``."""
        if arc_m < self.from_m:
            return self.shift_m * smooth(1.0 - (self.from_m - arc_m) / self.ramp_m)
        return self.shift_m * smooth(1.0 - (arc_m - self.to_m) / self.ramp_m)

    @property
    def begin_m(self) -> float:
        """Arc where the way leaves the lane centre."""
        return self.from_m - self.ramp_m

    @property
    def end_m(self) -> float:
        """Arc where it is back."""
        return self.to_m + self.ramp_m

    @property
    def speed_mps(self) -> float:
        """The speed at which its bends (curvature at most 6 shift / ramp^2) are comfortable."""
        return math.sqrt(LATERAL_MPS2 * self.ramp_m**2 / (6.0 * abs(self.shift_m)))

    def limit(self, arc_m: float) -> float:
        """The speed that this shift allows at ``arc_m``, braking towards it at 1.5 m/s2."""
        if arc_m > self.end_m:
            return math.inf
        away = max(self.begin_m - arc_m, 0.0)
        return math.sqrt(self.speed_mps**2 + 2 * BRAKING_MPS2 * away)


@dataclass(frozen=True, slots=True)
class Way:
    """All shifts that hold now."""

    shifts: tuple[Shift, ...] = ()

    def at(self, arc_m: float) -> float:
        """The shift at ``arc_m``: the largest."""
        return max((s.at(arc_m) for s in self.shifts), key=abs, default=0.0)

    def limit(self, arc_m: float) -> float:
        """The speed that the shifts allow at ``arc_m``; inf without any."""
        return min((s.limit(arc_m) for s in self.shifts), default=math.inf)

    @property
    def across(self) -> list[Shift]:
        """The shifts that lead into the other lane."""
        return [s for s in self.shifts if s.shift_m > ACROSS_M]


def of_closure(closure: Closure, by: tuple[int, ...] = ()) -> Shift | None:
    """The way past road works; None where there is none."""
    if not closure.shift_m:
        return None
    first, last = closure.from_m - BEFORE_M / 2, closure.to_m + AFTER_M
    return Shift(first, last, closure.shift_m, closure.taper_m, by)


def past(group: Sequence[Placed]) -> Shift:
    """The way past things that lie or stand together."""
    shift = group[0].detour_m
    first = min(p.arc_m - p.half_m[0] for p in group)
    last = max(p.arc_m + p.half_m[0] for p in group)
    ramp = max(RAMP_PER_M * abs(shift), RAMP_LEAST_M)
    return Shift(first - BEFORE_M, last + AFTER_M / 2, shift, ramp, tuple(p.id for p in group))
