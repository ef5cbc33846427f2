"""Triangles lit per vertex, gathered into chunks that a camera can skip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Int

if TYPE_CHECKING:
    from alpamayo_ros.simulation.scenery.atmosphere import Atmosphere

CELL_M = 40.0
SHINES = 2.0  # added to the colour of what shines by itself
GAMMA = 0.85  # the eye likes it; the agents' shader does the same


@dataclass(frozen=True)
class Lighting:
    """A sun (unit vector towards it), ambient and diffuse shares, exposure and colour cast."""

    sun: Float[np.ndarray, ' 3']
    ambient: float
    diffuse: float
    gain: float
    tint: Float[np.ndarray, ' 3']

    @property
    def level(self) -> float:
        """Brightness that moving objects are shown with."""
        return (self.ambient + 0.6 * self.diffuse) * self.gain


@dataclass(frozen=True)
class Mesh:
    """Vertices (x, y, z, r, g, b) of triangles, sorted into chunks with a bounding circle each."""

    vertices: Float32[np.ndarray, 'n 6']
    first: Int[np.ndarray, ' c']
    count: Int[np.ndarray, ' c']
    centre: Float[np.ndarray, 'c 2']
    radius: Float[np.ndarray, ' c']


@dataclass(frozen=True, eq=False)
class Scenery:
    """What stands still, and the atmosphere.

    ``sky`` is the colour at the horizon and of the fog (density in 1/m).  ``atmosphere``: dusk,
    night or rain (``atmosphere.with_atmosphere``); None on a plain day.
    """

    mesh: Mesh
    sky: Float[np.ndarray, ' 3']
    zenith: Float[np.ndarray, ' 3']
    fog_1pm: float
    light: float
    atmosphere: Atmosphere | None = None


class MeshBuilder:
    """Collects coloured triangles; colours are lit by ``lighting`` as they come in."""

    def __init__(self, lighting: Lighting, rng: np.random.Generator) -> None:
        self.lighting, self.rng = lighting, rng
        self._positions: list[np.ndarray] = []
        self._colours: list[np.ndarray] = []
        self._shining: list[np.ndarray] = []

    def triangles(
        self,
        corners: Float[np.ndarray, 't 3 3'],
        colour: np.ndarray,
        normal: Sequence[float] | None = None,
        jitter: float = 0.0,
        shines: bool = False,
    ) -> None:
        """Add triangles of one colour (or one each).

        ``jitter``: relative brightness noise per triangle; ``shines``: by themselves, which only
        the shaders of dusk and night understand.
        """
        if normal is None:
            n = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            n = n / (np.linalg.norm(n, axis=1, keepdims=True) + 1e-9)
        else:
            n = np.broadcast_to(np.asarray(normal, float), (len(corners), 3))
        lamp = self.lighting
        shade = lamp.ambient + lamp.diffuse * np.maximum(n @ lamp.sun, 0)
        noise = 1 + jitter * self.rng.standard_normal((len(corners), 1))
        lit = (
            np.broadcast_to(colour, (len(corners), 3))
            * shade[:, None]
            * lamp.tint
            * lamp.gain
            * noise
        )
        if shines:
            lit = np.broadcast_to(colour, (len(corners), 3))
        self._shining.append(np.full(len(corners), shines))
        self._positions.append(corners)
        self._colours.append(np.repeat(lit[:, None], 3, 1))

    def strip(
        self,
        right: Float[np.ndarray, 'n 2'],
        left: Float[np.ndarray, 'n 2'],
        z_m: float,
        colour: np.ndarray,
        keep: np.ndarray | None = None,
        jitter: float = 0.0,
    ) -> None:
        """Add a ribbon on the ground between two lines.

        ``keep``: which of the n - 1 quads exist.
        """
        a, b, c, d = right[:-1], left[:-1], left[1:], right[1:]
        if keep is not None:
            a, b, c, d = a[keep], b[keep], c[keep], d[keep]
        if not len(a):
            return
        lift = np.full((len(a), 1), z_m)
        a, b, c, d = (np.concatenate([q, lift], 1) for q in (a, b, c, d))
        corners = np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)])
        self.triangles(corners, colour, (0, 0, 1), jitter)

    def boxes(
        self,
        xy: Float[np.ndarray, 'n 2'],
        yaw: Float[np.ndarray, ' n'],
        bottom: np.ndarray | float,
        top: np.ndarray | float,
        size: tuple[np.ndarray | float, np.ndarray | float],
        colour: np.ndarray,
        taper: float = 1.0,
        jitter: float = 0.05,
        shines: bool = False,
    ) -> None:
        """Add n boxes (``taper`` < 1: pyramids), ``size`` along and across ``yaw``."""
        n = len(xy)
        if not n:
            return
        ring = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        lower = [_corner(xy, yaw, ax, ay, bottom, size, 1.0) for ax, ay in ring]
        upper = [_corner(xy, yaw, ax, ay, top, size, taper) for ax, ay in ring]
        faces = []
        for i in range(4):
            j = (i + 1) % 4
            faces.append(np.stack([lower[i], lower[j], upper[j]], 1))
            if taper > 0.05:
                faces.append(np.stack([lower[i], upper[j], upper[i]], 1))
        if taper > 0.05:
            faces.append(np.stack([upper[0], upper[1], upper[2]], 1))
            faces.append(np.stack([upper[0], upper[2], upper[3]], 1))
        colours = np.tile(np.broadcast_to(colour, (n, 3)), (len(faces), 1))
        self.triangles(np.concatenate(faces), colours, None, jitter, shines)

    def build(self) -> Mesh:
        """All triangles so far, sorted by grid cell."""
        corners = np.concatenate(self._positions)
        colours = np.clip(np.concatenate(self._colours), 0, 1) ** GAMMA
        colours[np.concatenate(self._shining)] += SHINES
        cell = np.floor(corners[:, :, :2].mean(1) / CELL_M).astype(int)
        _, group, count = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
        group = group.ravel()
        order = np.argsort(group, kind='stable')
        corners, colours = corners[order], colours[order]
        first = np.concatenate([[0], np.cumsum(count)[:-1]])
        low = np.minimum.reduceat(corners[:, :, :2].min(1), first)
        high = np.maximum.reduceat(corners[:, :, :2].max(1), first)
        vertices = np.concatenate([corners, colours], 2).reshape(-1, 6).astype(np.float32)
        radius = np.linalg.norm(high - low, axis=1) / 2
        return Mesh(vertices, first * 3, count * 3, (low + high) / 2, radius)


def _corner(
    xy: np.ndarray,
    yaw: np.ndarray,
    ax: float,
    ay: float,
    z: np.ndarray | float,
    size: tuple[np.ndarray | float, np.ndarray | float],
    scale: float,
) -> np.ndarray:
    px, py = ax * np.asarray(size[0]) / 2 * scale, ay * np.asarray(size[1]) / 2 * scale
    x = xy[:, 0] + np.cos(yaw) * px - np.sin(yaw) * py
    y = xy[:, 1] + np.sin(yaw) * px + np.cos(yaw) * py
    return np.stack([x, y, np.broadcast_to(z, len(xy)).astype(float)], 1)
