"""The scenery of a winding road on one seed: ground, plants, houses, posts, sky, sun, fog.

The ranges are those that nano was first trained on; scenery never changes the geometry of the
road.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenario import Closure
from alpamayo_ros.simulation.scenery.mesh import Lighting, MeshBuilder, Scenery
from alpamayo_ros.simulation.scenery.street_furniture import plant

QUAD_STEP = 3  # one quad each 1.5 m
SKIES = [[0.72, 0.82, 0.95], [0.8, 0.82, 0.85], [0.6, 0.75, 0.95], [0.88, 0.83, 0.78]]
GRASSES = [[0.3, 0.45, 0.2], [0.4, 0.45, 0.22], [0.5, 0.46, 0.3], [0.25, 0.4, 0.22]]
WALLS = [[0.7, 0.62, 0.5], [0.75, 0.74, 0.7], [0.6, 0.4, 0.33], [0.5, 0.52, 0.56]]
GROUND_TILE_M = 30.0
GROUND_REACH_M = 180.0


def scenery(
    road: Road, seed: int, fog_1pm: float | None = None, closures: Sequence[Closure] = ()
) -> Scenery:
    """The mesh and atmosphere of ``road``.

    ``fog_1pm`` overrides the seeded density (1/m); ``closures``: road works on it.
    """
    rng = np.random.default_rng([seed, 2])
    lighting, sky, seeded_fog = weather(rng)
    builder = MeshBuilder(lighting, rng)
    _ground(builder, road, rng)
    _surface(builder, road, rng)
    _markings(builder, road, rng)
    _trees(builder, road, rng)
    _houses(builder, road, rng)
    if rng.random() < 0.4:
        _posts(builder, road)
    if closures:
        from alpamayo_ros.simulation.scenery import roadworks_scenery  # needs this module

        roadworks_scenery.mark(builder, road, closures)
    zenith = np.clip(sky * rng.uniform(0.62, 0.95) * np.array([0.85, 0.95, 1.06]), 0, 1)
    return Scenery(
        builder.build(), sky, zenith, seeded_fog if fog_1pm is None else fog_1pm, lighting.level
    )


def weather(rng: np.random.Generator) -> tuple[Lighting, np.ndarray, float]:
    """Sun, colour of the sky at the horizon, density of the fog (1/m)."""
    sun = np.array([rng.normal(), rng.normal(), rng.uniform(0.8, 2.5)])
    ambient, diffuse = rng.uniform(0.4, 0.65), rng.uniform(0.25, 0.65)
    gain, tint = rng.uniform(0.75, 1.15), 1 + rng.uniform(-0.06, 0.06, 3)
    lighting = Lighting(sun / np.linalg.norm(sun), ambient, diffuse, gain, tint)
    sky = np.clip(rng.choice(np.array(SKIES)) * gain * rng.uniform(0.9, 1.1), 0, 1)
    return lighting, sky, float(rng.uniform(0.002, 0.007))


def _ground(builder: MeshBuilder, road: Road, rng: np.random.Generator) -> None:
    colour = rng.choice(np.array(GRASSES)) * rng.uniform(0.85, 1.15)
    low, high = road.centre.min(0) - GROUND_REACH_M, road.centre.max(0) + GROUND_REACH_M
    g = GROUND_TILE_M
    gx, gy = np.meshgrid(
        np.arange(low[0], high[0], g), np.arange(low[1], high[1], g), indexing='ij'
    )
    tile = np.stack([gx.ravel(), gy.ravel()], 1)
    away = np.linalg.norm(tile[:, None] + g / 2 - road.centre[None, ::20], axis=2).min(1)
    tile = tile[away < GROUND_REACH_M]

    def corner(dx: float, dy: float) -> np.ndarray:
        return np.concatenate([tile + [dx, dy], np.full((len(tile), 1), -0.05)], 1)

    a, b, c, d = corner(0, 0), corner(g, 0), corner(g, g), corner(0, g)
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    builder.triangles(corners, colour, (0, 0, 1), 0.06)


def _ribbon(
    builder: MeshBuilder,
    road: Road,
    from_m: float,
    to_m: float,
    z_m: float,
    colour: np.ndarray,
    keep: np.ndarray | None = None,
    jitter: float = 0.0,
) -> None:
    """A ribbon along the road, edges measured to the left of the line between the lanes."""
    c, n = road.centre[::QUAD_STEP], road.centre_normal[::QUAD_STEP]
    builder.strip(c + n * from_m, c + n * to_m, z_m, colour, keep, jitter)


def _surface(builder: MeshBuilder, road: Road, rng: np.random.Generator) -> None:
    asphalt = np.full(3, rng.uniform(0.2, 0.42)) + rng.uniform(-0.015, 0.015, 3)
    half = rng.uniform(3.65, 4.1)
    if rng.random() < 0.5:
        gravel = np.array([0.5, 0.45, 0.35]) * rng.uniform(0.8, 1.1)
        _ribbon(builder, road, -half - 0.8, half + 0.8, -0.02, gravel, jitter=0.05)
    _ribbon(builder, road, -half, half, 0.0, asphalt, jitter=0.03)


def _markings(builder: MeshBuilder, road: Road, rng: np.random.Generator) -> None:
    wear, w = rng.uniform(0.7, 1.05), rng.uniform(0.12, 0.2)
    white, yellow = np.array([0.88, 0.88, 0.85]) * wear, np.array([0.9, 0.7, 0.15]) * wear
    quad = np.arange(len(road.centre[::QUAD_STEP]) - 1)
    edge = quad % 5 < 3 if rng.random() < 0.35 else None
    for from_m in (-3.4 - w, 3.4):
        _ribbon(builder, road, from_m, from_m + w, 0.02, white, edge)
    style = rng.integers(3)
    if style == 1:
        _ribbon(builder, road, -1.5 * w, -0.5 * w, 0.02, yellow)
        _ribbon(builder, road, 0.5 * w, 1.5 * w, 0.02, yellow)
    else:
        _ribbon(builder, road, -w / 2, w / 2, 0.02, yellow, None if style == 0 else quad % 6 < 4)


def _scatter(
    road: Road, rng: np.random.Generator, count: int, near_m: float, far_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places beside the road and the road's heading there.

    None is closer than ``near_m`` to any part of the road.
    """
    i = rng.integers(0, len(road.centre), count)
    aside = rng.uniform(near_m, far_m, count) * rng.choice([-1, 1], count)
    xy = road.centre[i] + road.centre_normal[i] * aside[:, None]
    clear = np.linalg.norm(xy[:, None] - road.centre[None, ::4], axis=2).min(1) > near_m - 0.5
    return xy[clear], road.centre_heading[i[clear]]


def _trees(builder: MeshBuilder, road: Road, rng: np.random.Generator) -> None:
    xy, _ = _scatter(road, rng, int(rng.uniform(40, 260)), 6.5, 45)
    plant(builder, xy, rng)


def _houses(builder: MeshBuilder, road: Road, rng: np.random.Generator) -> None:
    xy, yaw = _scatter(road, rng, int(rng.uniform(0, 26)), 15, 45)
    n = len(xy)
    walls = np.array(WALLS)[rng.integers(0, 4, n)]
    z, a, b = rng.uniform(3, 7, n), rng.uniform(7, 12, n), rng.uniform(7, 14, n)
    builder.boxes(xy, yaw, 0.0, z, (b, a), walls)
    builder.boxes(
        xy, yaw, z, z + 2.5, (b * 1.05, a * 1.05), np.array([0.45, 0.25, 0.2]), taper=0.3
    )


def _posts(builder: MeshBuilder, road: Road) -> None:
    i = np.arange(0, len(road.centre), 50)
    aside = np.where((i // 50) % 2 == 0, 4.8, -4.8)
    xy = road.centre[i] + road.centre_normal[i] * aside[:, None]
    builder.boxes(xy, road.centre_heading[i], 0.0, 1.0, (0.15, 0.15), np.array([0.9, 0.9, 0.9]))
