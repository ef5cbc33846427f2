"""Pieces of scenery that maps share: ground, bands of asphalt and paint, rails, signs, trees."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.simulation.scenery.mesh import MeshBuilder
from alpamayo_ros.simulation.scenery.road_scenery import GRASSES, GROUND_REACH_M, GROUND_TILE_M
from alpamayo_ros.simulation.scenery.street_furniture import plant

STEEL = np.array([0.6, 0.62, 0.64])
Line = Float[np.ndarray, 'n 2']


def ground(builder: MeshBuilder, points: Line, rng: np.random.Generator) -> None:
    """Grass in tiles as far as 180 m from any of the points."""
    colour = rng.choice(np.array(GRASSES)) * rng.uniform(0.85, 1.15)
    low, high, g = points.min(0) - GROUND_REACH_M, points.max(0) + GROUND_REACH_M, GROUND_TILE_M
    x, y = np.meshgrid(np.arange(low[0], high[0], g), np.arange(low[1], high[1], g))
    tile = np.stack([x.ravel(), y.ravel()], 1)
    away = np.linalg.norm(tile[:, None] + g / 2 - points[None, ::20], axis=2).min(1)
    tile = np.concatenate([tile, np.full((len(tile), 1), -0.05)], 1)[away < GROUND_REACH_M]
    a, b, c, d = (tile + [dx * g, dy * g, 0] for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1)))
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    builder.triangles(corners, colour, (0, 0, 1), 0.06)


def normals(line: Line) -> Line:
    """Unit vectors to the left of a line."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    return np.stack([-along[:, 1], along[:, 0]], 1)


def band(
    builder: MeshBuilder,
    line: Line,
    from_m: Float[np.ndarray, ' n'] | float,
    to_m: Float[np.ndarray, ' n'] | float,
    z_m: float,
    colour: np.ndarray,
    keep: Bool[np.ndarray, ' m'] | None = None,
    jitter: float = 0.0,
) -> None:
    """A ribbon along a line, its edges measured to the left of it."""
    n, count = normals(line), len(line)
    right, left = (np.broadcast_to(v, count)[:, None] for v in (from_m, to_m))
    builder.strip(line + n * right, line + n * left, z_m, colour, keep, jitter)


def rail(builder: MeshBuilder, line: Line, aside_m: float, step: int = 4) -> None:
    """A guard rail on posts; ``step``: points of the line from post to post."""
    n = normals(line)
    posts = (line + n * aside_m)[::step]
    along = np.diff(posts, axis=0)
    yaw, length = np.arctan2(along[:, 1], along[:, 0]), np.linalg.norm(along, axis=1)
    builder.boxes(posts[:-1], yaw, 0.0, 0.75, (0.1, 0.1), STEEL * 0.7)
    builder.boxes((posts[:-1] + posts[1:]) / 2, yaw, 0.45, 0.78, (length * 1.01, 0.06), STEEL)


def trees(
    builder: MeshBuilder, points: Line, rng: np.random.Generator, count: int, near_m: float
) -> None:
    """Trees 0 to 45 m further than ``near_m`` from the points, none nearer."""
    base = points[rng.integers(0, len(points), count)]
    angle, far = rng.uniform(0, 2 * np.pi, count), rng.uniform(near_m, near_m + 45, count)
    xy = base + np.stack([np.cos(angle), np.sin(angle)], 1) * far[:, None]
    xy = xy[np.linalg.norm(xy[:, None] - points[None, ::4], axis=2).min(1) > near_m]
    plant(builder, xy, rng)


def board(
    builder: MeshBuilder,
    xy: tuple[float, float],
    heading_rad: float,
    pixels: list[str],
    cell_m: float,
    bottom_m: float,
    colours: dict[str, tuple[float, float, float]],
) -> None:
    """A sign for traffic with that heading, painted in rows of letters (' ': nothing there)."""
    width, along = len(pixels[0]) * cell_m, np.array([np.cos(heading_rad), np.sin(heading_rad)])
    right = np.array([along[1], -along[0]])
    for row, line in enumerate(reversed(pixels)):
        z, column = bottom_m + row * cell_m, 0
        for letter, run in itertools.groupby(line):
            count = len(list(run))
            span = [(column + k) * cell_m - width / 2 for k in (0, count)]
            column += count
            if letter == ' ':
                continue
            for back, colour in ((0.0, np.array(colours[letter])), (0.04, STEEL * 0.6)):
                foot = np.array(xy) + back * along
                a, b = ([*(foot + right * v), z] for v in span)
                c, d = ([*(foot + right * v), z + cell_m] for v in span[::-1])
                normal = along * (1 if back else -1)
                corners = np.array([[a, b, c], [a, c, d]])
                builder.triangles(corners, colour, (float(normal[0]), float(normal[1]), 0.0))
    for k in (-0.3, 0.3):
        foot = (np.array(xy) + right * width * k + 0.1 * along)[None]
        builder.boxes(foot, np.array([heading_rad]), 0.0, bottom_m, (0.1, 0.1), STEEL * 0.7)
