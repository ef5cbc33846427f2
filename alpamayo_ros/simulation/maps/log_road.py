"""The ego's road through a recorded scene: along the path that the recorded driver took.

Behind its start and beyond its end the road goes straight on.  Road edges come from the map where
it has them; elsewhere the road ends where the lanes beside the path end, and without any lanes
2 m from the path.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from alpamayo_ros.datasets.log_format import Log
from alpamayo_ros.simulation.path_road import PathRoad, resample
from alpamayo_ros.simulation.road import BEHIND_M, LATERAL_MAX_MPS2, SPEED_MAX_MPS, STEP_M
from alpamayo_ros.simulation.sim_rig import SimVehicle

AHEAD_M = 150.0  # of straight road beyond the last recorded place
SMOOTH_M = 2.0  # standard deviation; recorded places jitter by decimetres
MOVED_M = 2.0  # somebody who moved less drives straight on
FASTER, SLOWEST_MPS = 1.1, 5.0  # as on every map, at most SPEED_MAX_MPS
EDGE_MARGIN_M = 0.25  # as on the winding road: so far beyond the line
LEAST_M = 1.5  # the recorded path itself is never off the road
WITHOUT_MAP_M = 2.0
REACH_M = 16.0
LANE_STEP_M = 0.5
LIMIT_REACH_M = 2.0


class Lanes:
    """Points along all lane centres, with heading, half width and speed limit, to look up."""

    def __init__(self, log: Log) -> None:
        rows = [np.zeros((0, 5))]
        for line in log.of_kind('lane_centre'):
            xy = resample(line.points(), LANE_STEP_M)
            if len(xy) < 2:
                continue
            heading = np.arctan2(*np.gradient(xy, axis=0).T[::-1])
            limit = math.inf if line.speed_limit_mps is None else line.speed_limit_mps
            rest = np.broadcast_to([line.width_m / 2, limit], (len(xy), 2))
            rows.append(np.column_stack([xy, heading, rest]))
        self.rows: Float[np.ndarray, 'n 5'] = np.concatenate(rows)
        self.tree = cKDTree(self.rows[:, :2]) if len(self.rows) else None

    def cover(self, xy: Float[np.ndarray, 'n 2'], margin_m: float = EDGE_MARGIN_M) -> np.ndarray:
        """Which points lie on a lane, or no further beside one than the margin."""
        if self.tree is None:
            return np.zeros(len(xy), bool)
        away, which = self.tree.query(xy)
        inside: np.ndarray = away <= self.rows[which, 3] + margin_m
        return inside

    def against(self, x_m: float, y_m: float, heading_rad: float) -> bool:
        """Whether all lanes at a place lead the other way; False where there is none."""
        if self.tree is None:
            return False
        near = self.tree.query_ball_point([x_m, y_m], 2.0)
        rows = self.rows[near]
        on = rows[np.hypot(rows[:, 0] - x_m, rows[:, 1] - y_m) <= rows[:, 3]]
        return bool(len(on)) and bool((np.cos(on[:, 2] - heading_rad) < -0.5).all())

    def limit(self, xy: Float[np.ndarray, 'n 2'], heading: Float[np.ndarray, ' n']) -> float:
        """The lowest speed limit of lanes along a path; inf where none is known."""
        if self.tree is None:
            return math.inf
        away, which = self.tree.query(xy)
        along = np.cos(self.rows[which, 2] - heading) > 0.8
        found = self.rows[which[(away < LIMIT_REACH_M) & along], 4]
        return float(found.min()) if len(found) else math.inf


class LogRoad(PathRoad):
    """A ``Road`` along the recorded path; arc 0 is where the ego's rear axle was at the start.

    ``recorded_m``: arc at the recorded end.  ``posted_mps``: the lowest limit of the lanes
    along the path, None where the map has none.
    """

    def __init__(self, log: Log, vehicle: SimVehicle, seed: int) -> None:
        line, self.recorded_m = _line(log, vehicle.centre_m)
        self.lanes = Lanes(log)
        path = resample(line, 2.0)
        heading = np.arctan2(*np.gradient(path, axis=0).T[::-1])
        limit = self.lanes.limit(path, heading)
        self.posted_mps = limit if math.isfinite(limit) else None
        top = min(max(FASTER * max(log.ego.speed_mps), SLOWEST_MPS), limit, SPEED_MAX_MPS)
        super().__init__(line, seed, LATERAL_MAX_MPS2, top)
        self._edges = self._find_edges(log)

    def edges_m(self, s: float) -> tuple[float, float]:
        """Where the road ends at arc ``s``; see ``Road``."""
        i = min(max(int((s + BEHIND_M) / STEP_M), 0), len(self._edges) - 1)
        return float(self._edges[i, 0]), float(self._edges[i, 1])

    def _find_edges(self, log: Log) -> Float[np.ndarray, 'n 2']:
        n = len(self.position)
        left = np.stack([-np.sin(self.heading), np.cos(self.heading)], 1)
        aside = np.arange(0, REACH_M, 0.25)
        edges = np.full((n, 2), WITHOUT_MAP_M) * [-1, 1]
        hard = [resample(e.points(), 0.25) for e in log.of_kind('road_edge')]
        hard_tree = cKDTree(np.concatenate(hard)) if hard else None
        for side, sign in ((0, -1.0), (1, 1.0)):
            probe = self.position[:, None] + sign * aside[:, None] * left[:, None]
            flat = probe.reshape(-1, 2)
            on = self.lanes.cover(flat).reshape(n, -1)
            gap = np.argmin(on, 1)
            soft = np.where(on.all(1), REACH_M, aside[np.maximum(gap - 1, 0)])
            soft = np.where(on[:, 0], soft, WITHOUT_MAP_M)
            if hard_tree is not None:
                away = hard_tree.query(flat, distance_upper_bound=0.5)[0].reshape(n, -1)
                wall = away < 0.3
                there = aside[np.argmax(wall, 1)]
                soft = np.where(wall.any(1), there, soft)
            edges[:, side] = sign * np.maximum(soft, LEAST_M)
        return edges


def _line(log: Log, centre_m: float) -> tuple[Float[np.ndarray, 'n 2'], float]:
    """The path with straight ends, and the arc of the recorded end."""
    states = log.ego.states()
    xy, heading = states[:, :2], states[:, 2]
    moved = float(np.linalg.norm(np.diff(xy, axis=0), axis=1).sum())
    if moved < MOVED_M or np.hypot(*(xy[-1] - xy[0])) < MOVED_M / 2:
        h = float(heading[0])
        xy, moved = xy[:1] + np.array([[0.0], [MOVED_M]]) * [math.cos(h), math.sin(h)], 0.0
    path = _smooth(xy)
    first, last = path[1] - path[0], path[-1] - path[-2]
    first, last = first / np.linalg.norm(first), last / np.linalg.norm(last)
    behind = path[0] - np.arange(BEHIND_M + centre_m, 0, -STEP_M)[:, None] * first
    ahead = path[-1] + np.arange(STEP_M, AHEAD_M, STEP_M)[:, None] * last
    length = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
    return np.concatenate([behind, path, ahead]), length if moved else 0.0


def _smooth(xy: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'm 2']:
    """Points every half metre, without the jitter of standing and of measuring."""
    kept = [xy[0]]
    for point in xy[1:]:
        if np.hypot(*(point - kept[-1])) > 2 * STEP_M:
            kept.append(point)
    line = resample(np.array([*kept, xy[-1]]), STEP_M)
    if len(line) < 8:
        return resample(xy[[0, -1]], STEP_M)
    smooth: np.ndarray = gaussian_filter1d(line, SMOOTH_M / STEP_M, axis=0, mode='nearest')
    # the filter pulls the ends inwards: they keep their places, fading in over its width
    fade = np.clip(np.minimum(np.arange(len(line)), np.arange(len(line))[::-1]) / 8, 0, 1)[:, None]
    return smooth * fade + line * (1 - fade)
