"""Where each camera's image lies in the renderer's atlas, and where that camera looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.simulation.sim_rig import SimCamera

NEAR_M, FAR_M = 0.3, 600.0
DRAW_DISTANCE_M = 260.0  # chunks and agents beyond are left to the fog
MARGIN_M = 2.0  # the cameras look down a little, so the side planes are not quite upright


class Pose(Protocol):
    """Anything with a position and heading of base_link in the world frame."""

    @property
    def x_m(self) -> float: ...
    @property
    def y_m(self) -> float: ...
    @property
    def heading_rad(self) -> float: ...


class PosedCamera:
    """One camera at one instant: eye [m], yaw, view-projection with and without translation."""

    def __init__(self, camera: SimCamera, projection: Float[np.ndarray, '4 4'], ego: Pose) -> None:
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        x, y = ego.x_m + c * camera.x_m - s * camera.y_m, ego.y_m + s * camera.x_m + c * camera.y_m
        self.eye = np.array([x, y, camera.z_m])
        self.yaw, pitch = ego.heading_rad + camera.yaw_rad, -camera.pitch_rad
        cy, sy, cp, sp = math.cos(self.yaw), math.sin(self.yaw), math.cos(pitch), math.sin(pitch)
        turn = np.eye(4)
        turn[0, :3], turn[1, :3] = (sy, -cy, 0), (-cy * sp, -sy * sp, cp)
        turn[2, :3] = (-cy * cp, -sy * cp, -sp)
        moved = turn.copy()
        moved[:3, 3] = -turn[:3, :3] @ self.eye
        self.turned = (projection @ turn).T.astype('f4').tobytes()
        self.moved = (projection @ moved).T.astype('f4').tobytes()

    def sees(
        self,
        half_angle: float,
        xy: Float[np.ndarray, 'n 2'],
        radius: Float[np.ndarray, ' n'] | float,
    ) -> Bool[np.ndarray, ' n']:
        """Which circles may lie within ``half_angle`` of the axis and the draw distance."""
        dx, dy = xy[:, 0] - self.eye[0], xy[:, 1] - self.eye[1]
        ahead = dx * math.cos(self.yaw) + dy * math.sin(self.yaw)
        aside = np.abs(dx * math.sin(self.yaw) - dy * math.cos(self.yaw))
        reach = radius + MARGIN_M
        inside = aside * math.cos(half_angle) - ahead * math.sin(half_angle) < reach
        seen: np.ndarray = inside & (ahead > -reach) & (ahead < DRAW_DISTANCE_M + radius)
        return seen


class Tile:
    """A camera's place in the atlas (top-left corner, pixels) and its projection."""

    def __init__(self, camera: SimCamera, left: int, top: int) -> None:
        self.camera, self.left, self.top = camera, left, top
        self.half_angle = camera.hfov_rad / 2
        tangent, n, f = math.tan(self.half_angle), NEAR_M, FAR_M
        self.fine_half_angle = math.atan(tangent * camera.fine_px[0] / camera.width)
        self._projection = np.array(
            [
                [1 / tangent, 0, 0, 0],
                [0, camera.width / camera.height / tangent, 0, 0],
                [0, 0, (f + n) / (n - f), 2 * f * n / (n - f)],
                [0, 0, -1, 0],
            ]
        )

    def posed(self, ego: Pose) -> PosedCamera:
        """The camera on an ego at ``ego``."""
        return PosedCamera(self.camera, self._projection, ego)


def pack(cameras: Sequence[SimCamera]) -> tuple[list[Tile], int, int]:
    """Tiles in columns, and the atlas's width and height.

    Big images first, smaller ones stacked beside them.
    """
    order = sorted(cameras, key=lambda c: -c.height)
    smallest = order[-1].height
    height = math.ceil(order[0].height / smallest) * smallest
    tiles, left, top, column = [], 0, 0, 0
    for camera in order:
        if top and (top + camera.height > height or camera.width != column):
            left, top, column = left + column, 0, 0
        tiles.append(Tile(camera, left, top))
        top, column = top + camera.height, max(column, camera.width)
    names = [c.name for c in cameras]
    return sorted(tiles, key=lambda t: names.index(t.camera.name)), left + column, height
