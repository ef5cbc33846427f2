"""An urban motorway: a gently winding carriageway of one to four lanes a direction.

It has a way in or a way out.  Coordinates: ``s`` along the middle of the right-hand lane of the
ego's carriageway, ``n`` to the left of it.  The nose of the ramp lies at s = 0.
"""

from __future__ import annotations

import functools
import math
from typing import Literal

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.actors.track import smooth
from alpamayo_ros.simulation.path_road import PathRoad
from alpamayo_ros.simulation.road import BEHIND_M, LANE_M, STEP_M

Ramp = Literal['', 'merge', 'exit']
FROM_S, TO_S = -340.0, 620.0
FIRST_S = -305.0  # where the ego's way begins without a ramp
RADIUS_MIN_M = 320.0
MEDIAN_M = 4.0  # from the left edge of one carriageway to that of the other
SIDE_M = -LANE_M  # the speed-change lane
APART_M = -15.0  # the ramp where it runs beside the carriageway
TAPER_M, LANE_LENGTH_M = 35.0, 125.0
RAMP_M = 105.0  # over which the ramp comes near
MERGE_S = (35.0, 90.0)  # the ego's change of lane
LEAVE_S = (-75.0, -25.0)
LOOP_M, LOOP_RADIUS_M = 45.0, 34.0
LATERAL_MPS2 = 2.0
EDGE_M = 0.25


class MotorwayWay(PathRoad):
    """The ego's way, whose edges are those of the asphalt beside it."""

    def __init__(self, way: MotorwayMap, seed: int) -> None:
        super().__init__(way.way, seed, LATERAL_MPS2)
        coarse = self.position[::8]
        away = np.linalg.norm(coarse[:, None] - way.axis[None, ::4], axis=2)
        nearest = way.s[::4][away.argmin(1)]
        self._edges = [way.edges_m(float(s)) for s in nearest]

    def edges_m(self, s: float) -> tuple[float, float]:
        """See ``Road``; a metre or two beyond them the shoulder or the grass begins."""
        k = int((s + BEHIND_M) / STEP_M) // 8
        return self._edges[min(max(k, 0), len(self._edges) - 1)]


class MotorwayMap:
    """Geometry of one motorway; the same seed gives the same one."""

    def __init__(self, seed: int, lanes: int, ramp: Ramp) -> None:
        rng = np.random.default_rng([seed, 50])
        self.lanes, self.ramp = lanes, ramp
        self.s = np.arange(FROM_S, TO_S, STEP_M)
        wave = rng.uniform(420, 700)
        curvature = np.sin(2 * np.pi * self.s / wave + rng.uniform(0, 2 * np.pi))
        curvature *= rng.uniform(0.3, 1.0) / RADIUS_MIN_M
        self.heading = np.cumsum(curvature) * STEP_M + rng.uniform(-np.pi, np.pi)
        along = np.stack([np.cos(self.heading), np.sin(self.heading)], 1)
        self.axis = np.cumsum(along * STEP_M, 0)
        self.normal = np.stack([-along[:, 1], along[:, 0]], 1)

    def at(
        self, s: Float[np.ndarray, ' n'], n_m: Float[np.ndarray, ' n'] | float
    ) -> Float[np.ndarray, 'n 2']:
        """World points."""
        i = (np.asarray(s) - FROM_S) / STEP_M
        grid = np.arange(len(self.s))
        base = np.stack([np.interp(i, grid, self.axis[:, k]) for k in (0, 1)], 1)
        aside = np.stack([np.interp(i, grid, self.normal[:, k]) for k in (0, 1)], 1)
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        out: np.ndarray = base + aside * np.broadcast_to(n_m, len(base))[:, None]
        return out

    def way_n(self, s: float) -> float:
        """The ego's lateral place at ``s``."""
        if self.ramp == 'merge':
            near = smooth((s + RAMP_M) / RAMP_M)
            side = APART_M + (SIDE_M - APART_M) * near
            return side * (1 - smooth((s - MERGE_S[0]) / (MERGE_S[1] - MERGE_S[0])))
        if self.ramp == 'exit':
            side = SIDE_M * smooth((s - LEAVE_S[0]) / (LEAVE_S[1] - LEAVE_S[0]))
            return side + (APART_M - SIDE_M) * smooth(s / RAMP_M)
        return 0.0

    @functools.cached_property
    def way(self) -> Float[np.ndarray, 'n 2']:
        """The middle of the ego's way, with the loop before or behind the ramp."""
        first = -RAMP_M if self.ramp == 'merge' else FIRST_S
        last = RAMP_M if self.ramp == 'exit' else TO_S - 60.0
        s = np.arange(first, last, STEP_M)
        line = self.at(s, np.array([self.way_n(float(v)) for v in s]))
        if self.ramp == 'merge':
            return np.concatenate([_loop(line[1], line[0], 1.0, 42.0)[::-1], line])
        if self.ramp == 'exit':
            return np.concatenate([line, _loop(line[-2], line[-1], -1.0, 100.0)])
        return line

    def lane(self, k: int) -> PathRoad:
        """Lane ``k`` of the ego's carriageway (0: the right one).

        -1, -2..: those of the other carriageway, in its direction.
        """
        if k >= 0:
            return PathRoad(self.at(self.s, k * LANE_M), 0, LATERAL_MPS2, 30.0)
        n = self.left_edge_m + MEDIAN_M + (-k - 0.5) * LANE_M
        return PathRoad(self.at(self.s, n)[::-1], 0, LATERAL_MPS2, 30.0)

    @property
    def left_edge_m(self) -> float:
        """Where the ego's carriageway ends on the left."""
        return (self.lanes - 0.5) * LANE_M

    def edges_m(self, s: float) -> tuple[float, float]:
        """Where the asphalt for driving ends beside the ego's way at ``s``.

        A quarter of a metre beyond the outer lines; on a ramp of its own a little more, as ramps
        are wider.
        """
        n, spare = self.way_n(s), EDGE_M + LANE_M / 2
        own = s < 0 if self.ramp == 'merge' else s > 0
        if self.ramp and own and n < SIDE_M - 0.5:
            return -spare - 0.7, spare + 0.5
        right = -self.side_width(s) if self.ramp else 0.0
        return min(right - n - spare, -spare), self.left_edge_m + EDGE_M - n

    def side_width(self, s: float) -> float:
        """Width of the speed-change lane at ``s``, 0 where there is none."""
        if self.ramp == 'merge' and s >= 0:
            return LANE_M * (1 - smooth((s - LANE_LENGTH_M) / TAPER_M))
        if self.ramp == 'exit' and s <= 0:
            return LANE_M * smooth((s + LANE_LENGTH_M) / TAPER_M)
        return 0.0


def _loop(
    before: Float[np.ndarray, ' 2'], end: Float[np.ndarray, ' 2'], left: float, straight_m: float
) -> Float[np.ndarray, 'n 2']:
    """A bend that goes on from a line's end, and a straight piece; ``left`` -1: to the right."""
    heading = math.atan2(end[1] - before[1], end[0] - before[0])
    out, place = [], end.copy()
    for k in range(int((LOOP_M + straight_m) / STEP_M)):
        if k * STEP_M < LOOP_M:
            ease = smooth(k * STEP_M / 15.0) * smooth((LOOP_M - k * STEP_M) / 15.0)
            heading += left * ease * STEP_M / LOOP_RADIUS_M
        place = place + STEP_M * np.array([math.cos(heading), math.sin(heading)])
        out.append(place)
    return np.array(out)
