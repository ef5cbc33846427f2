"""A winding two-lane road per seed: geometry and the speed a careful driver would take.

Frame: ENU metres.  Arc length ``s`` runs along the centre of the ego's (right-hand) lane;
lateral offsets are measured from that line, positive to the left.  Right-hand traffic: the
oncoming lane lies at +LANE_M.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

LANE_M = 3.5
STEP_M = 0.5
ROAD_M = 500.0
BEHIND_M = 40.0  # road that exists before s = 0, so that the rear cameras see one
SPEED_MAX_MPS = 10.0
LATERAL_MAX_MPS2 = 2.25
CURVE_BRAKING_MPS2 = 1.5
CURVATURE_MAX_1PM = 1 / 25
EDGES_M = (-2.0, 5.5)  # a quarter of a metre beyond the lines of two lanes
CLEARANCE_M = 32.0  # between two parts of the road that are not neighbours


def _curvature_profile(rng: np.random.Generator, count: int) -> Float[np.ndarray, ' n']:
    """Arcs of 14 to 40 m, smoothed.

    Their sign alternates once the heading has turned by more than 0.9 rad.
    """
    sharpest = rng.uniform(1 / 70, 1 / 25)
    curvature = np.zeros(count)
    i, turned = int(30 / STEP_M) + int(BEHIND_M / STEP_M), 0.0
    while i < count:
        points = int(rng.uniform(14, 40) / STEP_M)
        if rng.random() < 0.22:
            value = 0.0
        else:
            sign = -np.sign(turned) if abs(turned) > 0.9 else rng.choice([-1, 1])
            value = sign * rng.uniform(0.25, 1.15) * sharpest
        curvature[i : i + points] = value
        turned += value * STEP_M * len(curvature[i : i + points])
        i += points
    kernel = np.exp(-0.5 * (np.arange(-24, 25) * STEP_M / 4.0) ** 2)
    smooth = np.convolve(curvature, kernel / kernel.sum(), 'same')
    return np.clip(smooth, -CURVATURE_MAX_1PM, CURVATURE_MAX_1PM)


def _crosses_itself(centre: Float[np.ndarray, 'n 2']) -> bool:
    """True where parts over 60 m apart along the road come closer than ``CLEARANCE_M``."""
    coarse = centre[::8]
    distance = np.linalg.norm(coarse[:, None] - coarse[None], axis=2)
    index = np.arange(len(coarse))
    apart = np.abs(index[:, None] - index[None]) * 8 * STEP_M > 60
    return bool((distance[apart] <= CLEARANCE_M).any())


class Road:
    """One winding road; the same seed gives the same road.

    ``centre``/``centre_heading``: the line between the two lanes every 0.5 m (for the mesh).
    ``speed_limit`` (the recipe's V): at most 10 m/s and 2.25 m/s2 lateral, braking at 1.5 m/s2
    into curves.  ``curvature_scale`` 0: straight.
    """

    def __init__(self, seed: int, length_m: float = ROAD_M, curvature_scale: float = 1.0) -> None:
        rng = np.random.default_rng([seed, 1])
        count = int((length_m + BEHIND_M) / STEP_M)
        for _ in range(2000):
            curvature = _curvature_profile(rng, count) * curvature_scale
            heading = np.cumsum(curvature) * STEP_M + rng.uniform(-np.pi, np.pi)
            centre = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * STEP_M, 0)
            if not _crosses_itself(centre):
                break
        self.seed = seed
        self.centre, self.centre_heading = centre, heading
        self.centre_normal = np.stack([-np.sin(heading), np.cos(heading)], 1)
        self._resample(centre - self.centre_normal * LANE_M / 2, heading)
        self._set_speed_limit()

    def _resample(self, lane: Float[np.ndarray, 'n 2'], heading: Float[np.ndarray, ' n']) -> None:
        arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(lane, axis=0), axis=1))])
        grid = np.arange(0, arc[-1], STEP_M)
        self.length_m = float(arc[-1]) - BEHIND_M
        self.position = np.stack(
            [np.interp(grid, arc, lane[:, 0]), np.interp(grid, arc, lane[:, 1])], 1
        )
        self.heading = np.interp(grid, arc, heading)
        self.curvature = np.gradient(self.heading, STEP_M)
        self._x, self._y = self.position[:, 0].tolist(), self.position[:, 1].tolist()
        self._heading, self._last = self.heading.tolist(), len(grid) - 1.001

    def _set_speed_limit(
        self, lateral_mps2: float = LATERAL_MAX_MPS2, top_mps: float = SPEED_MAX_MPS
    ) -> None:
        flat = np.maximum(np.abs(self.curvature), 1e-4)
        limit = np.minimum(top_mps, np.sqrt(lateral_mps2 / flat)).tolist()
        for i in range(len(limit) - 2, -1, -1):
            limit[i] = min(
                limit[i], math.sqrt(limit[i + 1] ** 2 + 2 * CURVE_BRAKING_MPS2 * STEP_M)
            )
        self.speed_limit = np.array(limit)
        self._limit: list[float] = limit

    def at(
        self, s: Float[np.ndarray, '*b'] | float
    ) -> tuple[Float[np.ndarray, '*b 2'], Float[np.ndarray, '*b'], Float[np.ndarray, '*b']]:
        """Position [m], heading [rad] and curvature [1/m] of the lane centre at arc ``s``.

        ``s`` is clamped to the road.
        """
        f = np.clip((np.asarray(s, float) + BEHIND_M) / STEP_M, 0, self._last)
        i = f.astype(int)
        r = f - i
        position = self.position[i] * (1 - r)[..., None] + self.position[i + 1] * r[..., None]
        return position, self.heading[i] * (1 - r) + self.heading[i + 1] * r, self.curvature[i]

    def project(
        self, xy: Float[np.ndarray, '*b 2'], s_hint: Float[np.ndarray, '*b'] | float
    ) -> tuple[Float[np.ndarray, '*b'], Float[np.ndarray, '*b'], Float[np.ndarray, '*b']]:
        """Arc [m], lateral offset [m, left positive] and lane heading of points near an arc.

        ``s_hint`` is that arc.
        """
        s = np.array(s_hint, float)
        for _ in range(2):
            p, heading, _ = self.at(s)
            d = xy - p
            s = s + d[..., 0] * np.cos(heading) + d[..., 1] * np.sin(heading)
        p, heading, _ = self.at(s)
        d = xy - p
        return s, -d[..., 0] * np.sin(heading) + d[..., 1] * np.cos(heading), heading

    # The scalar twins below serve tight loops (expert, simulation): a few microseconds a call.
    def point(self, s: float) -> tuple[float, float, float]:
        """x, y, heading of the lane centre at arc ``s``."""
        f = min(max((s + BEHIND_M) / STEP_M, 0.0), self._last)
        i = int(f)
        r = f - i
        q = 1 - r
        x, y, h = self._x, self._y, self._heading
        return x[i] * q + x[i + 1] * r, y[i] * q + y[i + 1] * r, h[i] * q + h[i + 1] * r

    def locate(self, x: float, y: float, s: float, rounds: int = 2) -> tuple[float, float, float]:
        """Arc, lateral offset (left positive) and lane heading of one point near the arc ``s``."""
        for _ in range(rounds):
            px, py, heading = self.point(s)
            s += (x - px) * math.cos(heading) + (y - py) * math.sin(heading)
        px, py, heading = self.point(s)
        return s, -(x - px) * math.sin(heading) + (y - py) * math.cos(heading), heading

    def limit(self, s: float) -> float:
        """Speed limit [m/s] at arc ``s``."""
        return self._limit[min(max(int((s + BEHIND_M) / STEP_M), 0), len(self._limit) - 1)]

    @property
    def fastest_mps(self) -> float:
        """The speed limit where it is highest."""
        return max(self._limit)

    def edges_m(self, s: float) -> tuple[float, float]:
        """Where the road ends at arc ``s``, right and left of the lane centre.

        It is the ego's rear axle that counts.
        """
        del s
        return EDGES_M

    def pose(
        self, s: float, offset_m: float = 0.0, turned_rad: float = 0.0
    ) -> tuple[float, float, float]:
        """x, y, heading of something ``offset_m`` left of the lane centre at arc ``s``."""
        x, y, h = self.point(s)
        return x - math.sin(h) * offset_m, y + math.cos(h) * offset_m, h + turned_rad
