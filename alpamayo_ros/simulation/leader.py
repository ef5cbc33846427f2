"""What a leading car does over time: cruise, brake, creep or stand, drive on, again and again."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.simulation.road import Road

STEP_S = 0.05
LENGTH_S = 150.0
BRAKE_LIGHT_MPS2 = 0.3
STANDING_MPS = 0.05


class LeaderScript:
    """Arc, speed and acceleration over time, computed once from the seed, not from the ego.

    Cruise at 4 to 9 m/s (slower in curves) for 3 to 8 s, brake at 1 to 3 m/s2 to a stop (60 %, and
    always the second time at the latest) or to a crawl, hold 2 to 6 s, drive on at 1 to 1.6 m/s2.
    """

    def __init__(self, road: Road, seed: int, arc_m: float, speed_mps: float) -> None:
        self._rng = np.random.default_rng([seed, 6])
        count = int(LENGTH_S / STEP_S) + 1
        table = np.zeros((count, 3))
        s, v = arc_m, min(speed_mps, road.limit(arc_m))
        self._stops, self._cycles = 0, -1
        self._new_cycle(0.0, speed_mps)
        for i in range(count):
            a = self._acceleration(i * STEP_S, v, road.limit(s + 0.3 * v))
            v_next = max(0.0, v + a * STEP_S)
            table[i] = s, v, (v_next - v) / STEP_S
            s, v = s + (v + v_next) / 2 * STEP_S, v_next
        self._table = table.tolist()
        self.start_s = 0.0  # traffic time at which the script begins

    def _new_cycle(self, now: float, cruise: float) -> None:
        rng = self._rng
        self._cycles += 1
        self._cruise = cruise
        self._brake_at = now + float(rng.uniform(3, 8))
        self._braking = float(rng.uniform(1, 3))
        stop = rng.random() < 0.6 or (self._cycles == 1 and self._stops == 0)
        self._slow = 0.0 if stop else float(rng.uniform(1, 3))
        self._stops += int(stop)
        self._hold, self._release = float(rng.uniform(2, 6)), float('inf')
        self._pull = float(rng.uniform(1, 1.6))

    def _acceleration(self, now: float, v: float, limit: float) -> float:
        if now > self._release:
            self._new_cycle(now, float(self._rng.uniform(4, 9)))
        if now >= self._brake_at:
            if v <= self._slow + 1e-6 and self._release == float('inf'):
                self._release = now + self._hold
            return (
                max((min(self._slow, limit) - v) / STEP_S, -self._braking)
                if v > self._slow
                else 0.0
            )
        target = min(self._cruise, limit)
        return min(max((target - v) / 0.3, -2.5), self._pull)

    def at(self, time_s: float) -> tuple[float, float, float, bool]:
        """Arc of the car's middle [m], speed, acceleration and whether its brake lights are on."""
        f = min(max((time_s - self.start_s) / STEP_S, 0.0), len(self._table) - 1.001)
        i = int(f)
        r = f - i
        s0, v0, a = self._table[i]
        s1, v1, _ = self._table[i + 1]
        v = v0 + (v1 - v0) * r
        return s0 + (s1 - s0) * r, v, a, a < -BRAKE_LIGHT_MPS2 or v < STANDING_MPS
