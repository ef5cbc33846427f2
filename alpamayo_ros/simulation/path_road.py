"""A ``Road`` along any line, and how to find out who is on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.agents import Agent, LaneCar
from alpamayo_ros.simulation.road import (
    BEHIND_M,
    CURVE_BRAKING_MPS2,
    SPEED_MAX_MPS,
    STEP_M,
    Road,
)

LOOK_M = 70.0
REACH_M = 1.9  # half the ego, half a car, 10 cm
BESIDE_M = 1.7  # a car's middle this near to the line is in the lane


class PathRoad(Road):
    """The geometry of a ``Road`` along ``line`` (the middle of the ego's lane).

    Its first ``BEHIND_M`` metres lie behind arc 0.  ``speed_limit``: at most ``top_mps``, and
    ``lateral_mps2`` in curves.
    """

    def __init__(
        self,
        line: Float[np.ndarray, 'n 2'],
        seed: int,
        lateral_mps2: float,
        top_mps: float = SPEED_MAX_MPS,
    ) -> None:
        self.seed = seed
        lane = resample(line, STEP_M)
        heading = np.unwrap(np.arctan2(*np.gradient(lane, axis=0).T[::-1]))
        self.centre, self.centre_heading = lane, heading
        self.centre_normal = np.stack([-np.sin(heading), np.cos(heading)], 1)
        self._resample(lane, heading)
        self._set_speed_limit(lateral_mps2, top_mps)

    def slow_down(self, from_m: float, to_m: float, speed_mps: float) -> None:
        """Limit the speed between two arcs, and the braking before them to 1.5 m/s2."""
        first, last = (int((s + BEHIND_M) / STEP_M) for s in (from_m, to_m))
        limit = self._limit
        for i in range(min(last, len(limit) - 1), -1, -1):
            if i >= first:
                limit[i] = min(limit[i], speed_mps)
            else:
                before = math.sqrt(limit[i + 1] ** 2 + 2 * CURVE_BRAKING_MPS2 * STEP_M)
                limit[i] = min(limit[i], before)
        self.speed_limit = np.array(limit)

    def arc_of(self, x_m: float, y_m: float) -> float:
        """The arc of the point of the line that is nearest to a place."""
        away = np.hypot(self.position[:, 0] - x_m, self.position[:, 1] - y_m)
        return float(away.argmin()) * STEP_M - BEHIND_M


def resample(line: Float[np.ndarray, 'n 2'], step_m: float) -> Float[np.ndarray, 'm 2']:
    """The line with a point every ``step_m``; repeated points are dropped."""
    kept = np.concatenate([[True], np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-3])
    line = line[kept]
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    grid = np.arange(0, arc[-1], step_m)
    return np.stack([np.interp(grid, arc, line[:, 0]), np.interp(grid, arc, line[:, 1])], 1)


def projected(
    road: Road, arc_m: float, agents: Sequence[Agent], beside_m: float, look_m: float = LOOK_M
) -> list[tuple[Agent, float, float, float]]:
    """Agents near the road's line within ``look_m`` ahead: arc, offset and heading against it."""
    out = []
    arcs = np.arange(arc_m, arc_m + look_m, STEP_M)
    line, heading, _ = road.at(arcs)
    for a in agents:
        away = np.hypot(line[:, 0] - a.x_m, line[:, 1] - a.y_m)
        k = int(away.argmin())
        if away[k] < beside_m and 0 < k < len(arcs) - 1:
            h = float(heading[k])
            offset = -(a.x_m - line[k, 0]) * math.sin(h) + (a.y_m - line[k, 1]) * math.cos(h)
            out.append((a, float(arcs[k]), float(offset), a.heading_rad - h))
    return out


def lane_cars(
    road: Road, arc_m: float, agents: Sequence[Agent], beside_m: float = BESIDE_M
) -> list[LaneCar]:
    """Agents in the lane ahead, by their rear bumpers; who comes towards us has no speed."""
    out = []
    for a, arc, offset, turned in projected(road, arc_m, agents, beside_m):
        along = math.cos(turned)
        half = (abs(along) * a.length_m + abs(math.sin(turned)) * a.width_m) / 2
        speed = max(a.speed_mps * along, 0.0)
        out.append(LaneCar(arc - half, offset, speed, a.acceleration_mps2, (a.id,)))
    return out


def intruders(
    road: Road, arc_m: float, agents: Sequence[Agent], beside_m: float = REACH_M
) -> list[LaneCar]:
    """Like ``lane_cars``, but a bumper that reaches into the lane counts too.

    For places where others come in from the side.
    """
    if not agents:
        return []
    arcs = np.arange(arc_m, arc_m + LOOK_M, STEP_M)
    line, heading, _ = road.at(arcs)
    pose = np.array([(a.x_m, a.y_m, a.heading_rad, a.length_m / 2) for a in agents])
    along = pose[:, None, 3] * np.array([-1.0, 0.0, 1.0])
    x = pose[:, None, 0] + along * np.cos(pose[:, None, 2])
    y = pose[:, None, 1] + along * np.sin(pose[:, None, 2])
    away = np.hypot(x[..., None] - line[:, 0], y[..., None] - line[:, 1])  # agents x 3 x arcs
    nearest = away.argmin(2)
    hit = (away.min(2) < beside_m) & (nearest > 0) & (nearest < len(arcs) - 1)
    out = []
    for a, which, at in zip(agents, hit, nearest, strict=True):
        if which.any():
            k = int(at[which].min())
            speed = max(a.speed_mps * math.cos(a.heading_rad - float(heading[k])), 0.0)
            rear = float(arcs[k]) - a.width_m / 2
            out.append(LaneCar(rear, 0.0, speed, a.acceleration_mps2, (a.id,)))
    return out
