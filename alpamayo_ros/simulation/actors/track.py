"""Motion along the lane in pieces of constant acceleration, and across it in smooth moves."""

from __future__ import annotations

import math

Piece = tuple[float, float, float, float]  # start [s], arc [m], speed [m/s], acceleration [m/s2]


class Track:
    """Arc, speed and acceleration at any time; ``reach`` says from when on they change."""

    def __init__(self, arc_m: float, speed_mps: float = 0.0, time_s: float = 0.0) -> None:
        self._pieces: list[Piece] = [(time_s, arc_m, speed_mps, 0.0)]

    def at(self, time_s: float) -> tuple[float, float, float]:
        """Arc [m], speed [m/s] and acceleration [m/s2]; before the first piece it stands."""
        piece = self._pieces[0]
        for other in self._pieces[1:]:
            if other[0] > time_s:
                break
            piece = other
        start, arc, speed, acceleration = piece
        t = max(time_s - start, 0.0)
        return arc + speed * t + acceleration * t * t / 2, speed + acceleration * t, acceleration

    def reach(self, time_s: float, speed_mps: float, rate_mps2: float) -> float:
        """From ``time_s`` on change to ``speed_mps`` at ``rate_mps2`` and keep it.

        Replaces whatever was planned for later; returns when the speed is reached.  Call it in the
        order of time, for changes after others with the time that the others returned.
        """
        arc, speed, _ = self.at(time_s)
        last_s = time_s + abs(speed_mps - speed) / rate_mps2
        rate = math.copysign(rate_mps2, speed_mps - speed)
        kept = [p for p in self._pieces if p[0] < time_s] or self._pieces[:1]
        self._pieces = [*kept[-4:], (time_s, arc, speed, rate)]
        arc, _, _ = self.at(last_s)
        self._pieces.append((last_s, arc, speed_mps, 0.0))
        return last_s


def smooth(x: float) -> float:
    """From 0 to 1 as x does, with level ends (3 x^2 - 2 x^3)."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def slope(x: float) -> float:
    """Derivative of ``smooth``."""
    return 6.0 * x * (1.0 - x) if 0.0 < x < 1.0 else 0.0
