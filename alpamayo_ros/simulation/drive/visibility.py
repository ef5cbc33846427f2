"""Who can be seen: pixels of a rendered picture that lie on an agent and stand out from around it.

A pixel belongs to an agent where its point in space, from the picture's own depth, lies inside the
agent's box.  So whatever hides it hides it here too, fog and darkness included.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from alpamayo_ros.simulation.agents import SIGNAL, Agent
from alpamayo_ros.simulation.drive import facts
from alpamayo_ros.simulation.scene_truth import SceneTruth
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

Pictures = Mapping[str, UInt8[np.ndarray, '_ _ 3']]


def known(sim: Simulation, truth: SceneTruth, images: Pictures) -> facts.Known:
    """Light, lead vehicle and pedestrians now, by whether the pictures taken just now show them.

    Without a picture all that is there is hidden.
    """
    things = facts.things(sim, truth)
    return facts.known(things, shown(sim, images, {i for thing in things for i in thing.ids}))


def shown(sim: Simulation, images: Pictures, ids: Collection[int]) -> frozenset[int]:
    """Which of these ids the pictures taken just now show; ``SIGNAL``: the light ahead.

    Looks for nobody else, into these pictures alone, and for each no longer than until it is seen.
    """
    if not ids or not images:
        return frozenset()
    drawn, found = sim.drawn(), set[int]()
    lamps = _lit(sim, drawn) if SIGNAL in ids else frozenset()
    near = [(SIGNAL if a.id in lamps else a.id, a) for a in drawn if a.id in lamps or a.id in ids]
    for eye in _eyes(sim, images):
        near = [(i, a) for i, a in near if i not in found]
        for i, a in near:
            if i not in found and eye.pixels(a) >= _fewest(a):
                found.add(i)
    return frozenset(found)


def seen_pixels(sim: Simulation, images: Pictures) -> dict[int, int]:
    """Pixels by id of every agent and lamp that the pictures taken just now show."""
    drawn = sim.drawn()
    found: dict[int, int] = {}
    for eye in _eyes(sim, images):
        for a in drawn:
            count = eye.pixels(a)
            if count >= _fewest(a):
                found[a.id] = found.get(a.id, 0) + count
    return found


def ids_of(sim: Simulation, pixels: Mapping[int, int]) -> frozenset[int]:
    """Ids of those who have pixels, ``SIGNAL`` instead of the lamps of the light ahead."""
    drawn = sim.drawn()
    lit = not _lit(sim, drawn).isdisjoint(pixels)
    others = pixels.keys() - {a.id for a in drawn if a.kind == 'lamp'}
    return frozenset(others | ({SIGNAL} if lit else set()))


def _lit(sim: Simulation, drawn: Sequence[Agent]) -> frozenset[int]:
    """Ids of the lamps that show the colour of the light ahead."""
    colour = sim.light_ahead(facts.LIGHT_M)
    return frozenset(a.id for a in drawn if colour and a.kind == 'lamp' and _colour(a) == colour)


def _colour(lamp: Agent) -> str:
    red, green, _ = lamp.colour
    if min(red, green) > 0.5 * max(red, green):
        return 'yellow'
    return 'red' if red > green else 'green'


def _fewest(a: Agent) -> int:
    return LAMP_PIXELS if a.kind == 'lamp' else PIXELS


def _eyes(sim: Simulation, images: Pictures) -> Iterator[_Eye]:
    for camera in sim.cameras:
        if camera.name in CAMERAS and camera.name in images:
            yield _Eye(sim, camera, images[camera.name])


class _Eye:
    """One picture with its depth, and where it was taken."""

    def __init__(
        self, sim: Simulation, camera: SimCamera, image: UInt8[np.ndarray, 'H W 3']
    ) -> None:
        self._ego = ego = sim.pose
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        x, y = camera.x_m, camera.y_m
        self.place = np.array([ego.x_m + c * x - s * y, ego.y_m + s * x + c * y, camera.z_m])
        yaw, pitch = ego.heading_rad + camera.yaw_rad, -camera.pitch_rad
        cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        self.axes = np.array([(sy, -cy, 0), (-cy * sp, -sy * sp, cp), (cy * cp, sy * cp, sp)])
        self.focal_px = camera.width / 2 / math.tan(camera.hfov_rad / 2)
        self._sim, self._camera, self.image = sim, camera.name, image

    def pixels(self, a: Agent) -> int:
        """How many pixels show the agent; 0 where it is far or does not stand out."""
        if math.hypot(a.x_m - self._ego.x_m, a.y_m - self._ego.y_m) >= RANGE_M:
            return 0
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
        return int(on.sum()) * rows.step * columns.step

    def _window(self, a: Agent) -> tuple[range, range] | None:
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
        height, width = self.image.shape[:2]
        u, v = (
            width / 2 + self.focal_px * seen[:, 0] / away,
            height / 2 - self.focal_px * seen[:, 1] / away,
        )
        left, right = max(int(u.min()) - AROUND_PX, 0), min(int(u.max()) + AROUND_PX + 1, width)
        top, bottom = max(int(v.min()) - AROUND_PX, 0), min(int(v.max()) + AROUND_PX + 1, height)
        if left >= right or top >= bottom:
            return None
        step = math.ceil(max(right - left, bottom - top) / MOST_PX)
        return range(top, bottom, step), range(left, right, step)

    def _on(self, a: Agent, rows: range, columns: range) -> Bool[np.ndarray, 'r c']:
        """Which pixels of a window lie inside the agent's box."""
        height, width = self.image.shape[:2]
        away = self._sim.distances(self._camera, rows, columns)
        right = (np.array(columns)[None, :] + 0.5 - width / 2) / self.focal_px * away
        up = -(np.array(rows)[:, None] + 0.5 - height / 2) / self.focal_px * away
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
