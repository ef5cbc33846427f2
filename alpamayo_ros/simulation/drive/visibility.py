"""Who can be seen: pixels of a rendered picture that lie on an agent and stand out from around it.

A pixel belongs to an agent where its point in space, from the picture's own depth, lies inside the
agent's box.  So whatever hides it hides it here too, fog and darkness included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, UInt8

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.sim_rig import SimCamera
from alpamayo_ros.simulation.worlds.simulation import Simulation

CAMERAS = ('front', 'front_left', 'front_right', 'rear')
RANGE_M = 70.0
HEIGHT_M = {'van': 2.3, 'truck': 3.4, 'pedestrian': 1.9, 'cyclist': 1.9, 'lamp': 0.3,
            'debris_box': 0.9, 'debris_tyre': 0.6, 'cone': 0.8, 'barrier': 1.2}  # fmt: skip
CAR_HEIGHT_M, GROUND_M, ROUND_M = 1.6, 0.12, 0.15
PIXELS, LAMP_PIXELS = 6, 1  # fewer show nothing (the narrow view takes the front camera 1 to 1)
CONTRAST = 8.0  # levels of 255 between an agent and what surrounds it
AROUND_PX, MOST_PX = 2, 48  # border of the window; its longest side after thinning
NEAREST_M = 0.5


def seen_pixels(
    sim: Simulation, images: Mapping[str, UInt8[np.ndarray, 'H W 3']]
) -> dict[int, int]:
    """Pixels by id of every agent and lamp that the pictures taken just now show."""
    near = [
        a for a in sim.drawn() if math.hypot(a.x_m - sim.pose.x_m, a.y_m - sim.pose.y_m) < RANGE_M
    ]
    found: dict[int, int] = {}
    for camera in sim.cameras:
        if camera.name in CAMERAS:
            eye = _Eye(camera, sim.pose, sim.distances(camera.name), images[camera.name])
            for a in near:
                count = eye.pixels(a)
                if count >= (LAMP_PIXELS if a.kind == 'lamp' else PIXELS):
                    found[a.id] = found.get(a.id, 0) + count
    return found


class _Eye:
    """One picture with its depth, and where it was taken."""

    def __init__(
        self,
        camera: SimCamera,
        ego: EgoPose,
        distance_m: Float[np.ndarray, 'H W'],
        image: UInt8[np.ndarray, 'H W 3'],
    ) -> None:
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        x, y = camera.x_m, camera.y_m
        self.place = np.array([ego.x_m + c * x - s * y, ego.y_m + s * x + c * y, camera.z_m])
        yaw, pitch = ego.heading_rad + camera.yaw_rad, -camera.pitch_rad
        cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        self.axes = np.array([(sy, -cy, 0), (-cy * sp, -sy * sp, cp), (cy * cp, sy * cp, sp)])
        self.focal_px = camera.width / 2 / math.tan(camera.hfov_rad / 2)
        self.distance_m, self.image = distance_m, image

    def pixels(self, a: Agent) -> int:
        """How many pixels show the agent; 0 where it does not stand out."""
        window = self._window(a)
        if window is None:
            return 0
        rows, columns = window
        on = self._on(a, rows, columns)
        if not on.any():
            return 0
        part = self.image[np.ix_(rows, columns)].astype(np.float32)
        if not on.all() and np.abs(part[on].mean(0) - part[~on].mean(0)).max() < CONTRAST:
            return 0
        thinned = (rows[1] - rows[0]) if len(rows) > 1 else 1
        return int(on.sum() * thinned**2)

    def _window(self, a: Agent) -> tuple[np.ndarray, np.ndarray] | None:
        """Rows and columns that may show the agent, thinned where it is big."""
        low, high = _heights(a)
        c, s = math.cos(a.heading_rad) / 2, math.sin(a.heading_rad) / 2
        corners = np.array([
            (a.x_m + i * c * a.length_m - j * s * a.width_m,
             a.y_m + i * s * a.length_m + j * c * a.width_m, z)
            for i in (-1, 1) for j in (-1, 1) for z in (low, high)
        ])  # fmt: skip
        seen = (corners - self.place) @ self.axes.T
        if seen[:, 2].max() < NEAREST_M:
            return None
        away = np.maximum(seen[:, 2], NEAREST_M)
        height, width = self.distance_m.shape
        u, v = (
            width / 2 + self.focal_px * seen[:, 0] / away,
            height / 2 - self.focal_px * seen[:, 1] / away,
        )
        left, right = max(int(u.min()) - AROUND_PX, 0), min(int(u.max()) + AROUND_PX + 1, width)
        top, bottom = max(int(v.min()) - AROUND_PX, 0), min(int(v.max()) + AROUND_PX + 1, height)
        if left >= right or top >= bottom:
            return None
        step = math.ceil(max(right - left, bottom - top) / MOST_PX)
        return np.arange(top, bottom, step), np.arange(left, right, step)

    def _on(self, a: Agent, rows: np.ndarray, columns: np.ndarray) -> Bool[np.ndarray, 'r c']:
        """Which pixels of a window lie inside the agent's box."""
        height, width = self.distance_m.shape
        away = self.distance_m[np.ix_(rows, columns)]
        right = (columns[None, :] + 0.5 - width / 2) / self.focal_px * away
        up = -(rows[:, None] + 0.5 - height / 2) / self.focal_px * away
        point = np.stack([right, up, away], -1) @ self.axes + self.place
        c, s = math.cos(a.heading_rad), math.sin(a.heading_rad)
        dx, dy = point[..., 0] - a.x_m, point[..., 1] - a.y_m
        low, high = _heights(a)
        along = np.abs(c * dx + s * dy) < a.length_m / 2 + ROUND_M
        across = np.abs(c * dy - s * dx) < a.width_m / 2 + ROUND_M
        inside: np.ndarray = along & across & (point[..., 2] > low) & (point[..., 2] < high)
        return inside


def _heights(a: Agent) -> tuple[float, float]:
    """Lowest and highest point of an agent, the ground left out [m]."""
    if a.kind == 'lamp':
        return a.z_m - HEIGHT_M['lamp'], a.z_m + HEIGHT_M['lamp']
    return GROUND_M, HEIGHT_M.get(a.kind, CAR_HEIGHT_M)
