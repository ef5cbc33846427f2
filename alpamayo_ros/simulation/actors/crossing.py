"""Somebody who crosses the road on foot or on a bicycle, perhaps from behind a parked vehicle."""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.simulation.actor_models import Crossing, knob
from alpamayo_ros.simulation.actors.actor import SIZES, EgoNow, Placed
from alpamayo_ros.simulation.agents import paint
from alpamayo_ros.simulation.road import LANE_M

BEYOND_M = 3.0  # it walks on so far beyond the road's other edge
PARKED_M = {'right': -2.9, 'left': LANE_M + 2.9}  # middle of a vehicle parked half on the verge


class CrossingActor:
    """See ``models.Crossing``."""

    def __init__(self, model: Crossing, seed: int, severity: float, number: int) -> None:
        rng = np.random.default_rng([seed, 37, number])
        self.model, self.first, self.colour = model, 3000 + 10 * number, paint(rng)
        self.side = -1.0 if model.side == 'right' else 1.0
        self.ahead_s, self.began_s = knob(model.ahead_s, severity), math.inf
        self.colours = [paint(rng) for _ in range(model.count)]
        far_m = LANE_M * (model.side == 'left') + model.from_m
        self.from_m = far_m * self.side
        there = -model.from_m if model.side == 'left' else LANE_M + BEYOND_M
        self.to_m = there - BEYOND_M * (model.side == 'left')

    def notice(self, ego: EgoNow) -> None:
        """Set off when the ego is near enough in time."""
        if self.model.stays:
            return
        if self.began_s == math.inf and ego.reaches_in_s(self.model.at_m) <= self.ahead_s:
            self.began_s = ego.time_s

    def way(self, walked_m: float) -> tuple[float, float]:
        """Offset and sign of the way after so many metres across; +1: as it set off."""
        aim, back = self.to_m, self.from_m
        if self.model.turns_back:
            there = abs(self.from_m)
            if walked_m > there:
                return self.side * min(walked_m - there, abs(back)), -1.0
            return self.from_m - self.side * walked_m, 1.0
        length = abs(aim - self.from_m)
        return self.from_m - self.side * min(walked_m, length), 1.0

    def _walked(self, time_s: float) -> tuple[float, bool]:
        """Metres across until ``time_s``, and whether it is walking."""
        m = self.model
        speed, t = m.speed_mps * math.cos(m.angle_rad), time_s - self.began_s
        if t < 0:
            return 0.0, False
        middle_s = abs(self.from_m) / speed
        if m.halts_s and t > middle_s:
            if t < middle_s + m.halts_s:
                return abs(self.from_m), False
            t -= m.halts_s
        length = 2 * abs(self.from_m) if m.turns_back else abs(self.to_m - self.from_m)
        return min(speed * t, length), speed * t < length

    def placed(self, time_s: float) -> list[Placed]:
        """Everybody who crosses, and the vehicle that hid them."""
        m, out = self.model, []
        walked, moving = self._walked(time_s)
        offset, sign = self.way(walked)
        turned = self.side * sign * (m.angle_rad - math.pi / 2)
        speed = m.speed_mps if moving else 0.0
        for k in range(m.count):
            arc = m.at_m + walked * math.tan(m.angle_rad) + k * m.apart_m
            behind = offset + self.side * 0.35 * (k % 2)
            place = (arc, behind, turned, speed, 0.0)
            out.append(Placed(self.first + k, m.who, *place, self.colours[k]))
        if m.occluder:
            arc = m.at_m - m.occluder_m - SIZES[m.occluder][0] / 2
            place = (arc, PARKED_M[m.side], 0.0, 0.0, 0.0)
            out.append(Placed(self.first + 9, m.occluder, *place, self.colour, final=True))
        return out
