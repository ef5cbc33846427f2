"""A way through the town as a ``Road``: lane centres joined by arcs, and the junctions on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.road import BEHIND_M, Road

ROUTE_STEP_M = 0.5
SMOOTH_M = 1.5
REACH = 9  # steps to each side over which the line is smoothed
LATERAL_MPS2 = 1.4  # turns at 3 to 4 m/s: people in a town go slower than the tyres allow


@dataclass(frozen=True, slots=True)
class Junction:
    """Where a route crosses a junction: arc of the stop line and of the way out, turn (s, l, r).

    ``tls`` is '' where there is no signal.
    """

    stop_arc_m: float
    exit_arc_m: float
    turn: str
    tls: str
    link: int


class TownRoute(Road):
    """A way through the town, with the geometry of a ``Road``: arcs along the ego's lane.

    ``junctions`` in the order in which they are crossed.
    """

    def __init__(self, line: Float[np.ndarray, 'n 2'], marks: list[Junction], seed: int) -> None:
        self.seed = seed
        line = line[np.concatenate([[True], np.linalg.norm(np.diff(line, axis=0), axis=1) > 0.01])]
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        grid = np.arange(0, arc[-1], ROUTE_STEP_M)
        dense = np.stack([np.interp(grid, arc, line[:, 0]), np.interp(grid, arc, line[:, 1])], 1)
        lane = _smooth(dense)
        heading = np.unwrap(np.arctan2(*np.gradient(lane, axis=0).T[::-1]))
        self._resample(lane, heading)
        self._set_speed_limit(LATERAL_MPS2)
        shrunk = (self.length_m + BEHIND_M) / arc[-1]
        self.junctions = [
            Junction(
                m.stop_arc_m * shrunk - BEHIND_M,
                m.exit_arc_m * shrunk - BEHIND_M,
                m.turn,
                m.tls,
                m.link,
            )
            for m in marks
        ]

    def next_junction(self, arc_m: float, through: bool = False) -> Junction | None:
        """The first junction whose stop line lies ahead of ``arc_m``; ``through``: whose end."""
        for j in self.junctions:
            if (j.exit_arc_m if through else j.stop_arc_m) >= arc_m:
                return j
        return None


def fillet(
    into: Float[np.ndarray, '2 2'], out_of: Float[np.ndarray, '2 2']
) -> Float[np.ndarray, 'n 2']:
    """A way from the end of one line to the start of another: straight pieces and one arc.

    SUMO's own lanes inside junctions bend twice as sharply in their middle.  Lines that hardly
    turn, or whose extensions do not meet in between, are joined straight.
    """
    start, end = into[1], out_of[0]
    u, v = _unit(into[1] - into[0]), _unit(out_of[1] - out_of[0])
    cross, gap = u[0] * v[1] - u[1] * v[0], end - start
    straight = np.stack([start, end])
    if abs(cross) < 0.2:
        return straight
    before = (gap[0] * v[1] - gap[1] * v[0]) / cross
    after = (u[0] * gap[1] - u[1] * gap[0]) / cross
    if min(before, after) <= 0.5:
        return straight
    turn, leg = math.atan2(cross, u @ v), min(before, after)
    radius = leg / math.tan(abs(turn) / 2)
    first = start + u * (before - leg)
    centre = first + math.copysign(radius, turn) * np.array([-u[1], u[0]])
    angle = np.linspace(0, turn, max(4, math.ceil(abs(turn) * radius / ROUTE_STEP_M)))
    c, s, arm = np.cos(angle), np.sin(angle), first - centre
    arc = centre + np.stack([c * arm[0] - s * arm[1], s * arm[0] + c * arm[1]], 1)
    return np.concatenate([start[None], arc, end[None]])


def _unit(v: np.ndarray) -> np.ndarray:
    out: np.ndarray = v / np.linalg.norm(v)
    return out


def _smooth(line: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'n 2']:
    """The line with corners rounded over about a metre, ends kept."""
    reach = np.arange(-REACH, REACH + 1) * ROUTE_STEP_M
    kernel = np.exp(-0.5 * (reach / SMOOTH_M) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(line, ((REACH, REACH), (0, 0)), 'reflect', reflect_type='odd')
    return np.stack([np.convolve(padded[:, k], kernel, 'valid') for k in (0, 1)], 1)
