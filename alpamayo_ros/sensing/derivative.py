"""Acceleration from the change of speed, where odometry does not carry it.  Pure, no ROS."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS


class SpeedDerivative:
    """Mean acceleration over the last ``window_s``; a stamp that goes back starts over."""

    def __init__(self, window_s: float) -> None:
        self._window_ns = round(window_s * NS)
        self._speeds: deque[tuple[int, float]] = deque()

    def reset(self) -> None:
        """Forget the past."""
        self._speeds.clear()

    def complete(self, state: EgoState) -> EgoState:
        """``state`` with its forward acceleration filled in; 0 for the first one."""
        if self._speeds and state.stamp_ns < self._speeds[-1][0]:
            self._speeds.clear()
        self._speeds.append((state.stamp_ns, state.speed_mps))
        while len(self._speeds) > 2 and state.stamp_ns - self._speeds[1][0] >= self._window_ns:
            self._speeds.popleft()
        begin_ns, begin_mps = self._speeds[0]
        span_s = (state.stamp_ns - begin_ns) / NS
        change = (state.speed_mps - begin_mps) / span_s if span_s > 0 else 0.0
        return replace(state, acceleration_mps2=change)
