"""Giving way at a line: whether the expert waits there, looked at anew at every step."""

from __future__ import annotations

from dataclasses import dataclass

from alpamayo_ros.simulation.agents import LaneCar
from alpamayo_ros.simulation.worlds.expert import GAP_M

LOOK_M = 30.0  # who has priority is watched from so far before the line
LINE_M = 1.0  # bumpers stop so far before the line
HARD_MPS2, SLOW_MPS = 3.5, 3.0


@dataclass(slots=True)
class GiveWay:
    """One line across the ego's way, at arc ``line_m`` [m].

    ``waits``: whether the ego has to stand before it; ``first``: ids of those with priority.
    """

    line_m: float
    waits: bool = False
    first: tuple[int, ...] = ()

    def look(
        self, bumper_m: float, speed_mps: float, taken: bool, first: tuple[int, ...] = ()
    ) -> None:
        """Decide whether to wait; ``taken``: somebody has priority now.

        As soon as somebody has it, unless it is too late to stop; having braked for somebody,
        the ego looks again once it is slow.
        """
        left = self.line_m - bumper_m
        near = -1.0 < left < LOOK_M
        if near and taken:
            self.first = first
            too_late = speed_mps**2 / 2 / HARD_MPS2 > max(left, 0.0) + 0.5
            self.waits = self.waits or not too_late
        elif not near or speed_mps < SLOW_MPS:
            self.waits = False

    def obstacles(self) -> list[LaneCar]:
        """To the expert a standing car at the line, while it has to give way."""
        if not self.waits:
            return []
        return [LaneCar(self.line_m - LINE_M + GAP_M, 0.0, 0.0, 0.0, self.first)]
