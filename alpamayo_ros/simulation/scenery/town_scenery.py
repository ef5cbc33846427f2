"""How a town looks on one seed: streets, markings, crossings, houses, trees, signal heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.maps.town_map import Ribbon, Signal, TownMap
from alpamayo_ros.simulation.scenery import night_town
from alpamayo_ros.simulation.scenery.ground_scenery import normals
from alpamayo_ros.simulation.scenery.mesh import MeshBuilder, Scenery
from alpamayo_ros.simulation.scenery.road_scenery import (
    GRASSES,
    GROUND_REACH_M,
    GROUND_TILE_M,
    weather,
)
from alpamayo_ros.simulation.scenery.street_furniture import signal_post

QUAD_M = 4.0
WALLS = [[0.62, 0.5, 0.42], [0.7, 0.66, 0.6], [0.5, 0.52, 0.55], [0.72, 0.6, 0.48]]
WALLS += [[0.45, 0.38, 0.36]]
LAMP_Z_M = {'r': 3.55, 'y': 3.2, 'g': 2.85}
LAMP_RGB = {'r': (1.0, 0.1, 0.06), 'y': (1.0, 0.78, 0.1), 'g': (0.1, 1.0, 0.35)}
LAMP_M = 0.3


def scenery(town: TownMap, seed: int, fog_1pm: float | None = None, lit: bool = False) -> Scenery:
    """The mesh and atmosphere of ``town``.

    ``fog_1pm`` overrides the seeded density (1/m); ``lit``: windows and street lamps shine.
    """
    rng = np.random.default_rng([seed, 22])
    lighting, sky, seeded_fog = weather(rng)
    builder = MeshBuilder(lighting, rng)
    asphalt = np.full(3, rng.uniform(0.2, 0.4))
    paving = np.array([0.55, 0.54, 0.52]) * rng.uniform(0.8, 1.15)
    _ground(builder, town, rng)
    for ribbon in town.lanes:
        _strip(builder, ribbon, 0.0, asphalt, 0.03)
    for polygon in town.junctions:
        _fan(builder, polygon, 0.0, asphalt)
    for ribbon in town.sidewalks:
        _strip(builder, ribbon, 0.1, paving, 0.04)
    for polygon in town.corners:
        _fan(builder, polygon, 0.04, paving)
    _markings(builder, town, rng)
    for head in town.signals:
        signal_post(builder, head.x_m, head.y_m, head.heading_rad)
    houses = _houses(builder, town, rng)
    if lit:
        night_town.light_up(builder, houses, [r.line for r in town.sidewalks], seed)
    _trees(builder, town, rng)
    zenith = np.clip(sky * rng.uniform(0.62, 0.95) * np.array([0.85, 0.95, 1.06]), 0, 1)
    fog = seeded_fog if fog_1pm is None else fog_1pm
    return Scenery(builder.build(), sky, zenith, fog, lighting.level)


def lamps(signals: Sequence[Signal], state: Callable[[str, int], str]) -> list[Agent]:
    """The lit lamp of every signal head."""
    out = []
    for k, head in enumerate(signals):
        lit = state(head.tls, head.link).lower()
        if lit in LAMP_Z_M:
            x, y = head.x_m - 0.17 * math.cos(head.heading_rad), head.y_m
            y -= 0.17 * math.sin(head.heading_rad)
            pose, still, size = (x, y, head.heading_rad), (0.0, 0.0), (LAMP_M, LAMP_M)
            colour, height = LAMP_RGB[lit], LAMP_Z_M[lit]
            out.append(Agent(10_000 + k, 'lamp', *pose, *still, *size, colour, False, height))
    return out


def _dense(line: Float[np.ndarray, 'n 2'], step_m: float) -> Float[np.ndarray, 'm 2']:
    """The line with a point at least every ``step_m``."""
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    grid = np.linspace(0, arc[-1], max(2, math.ceil(arc[-1] / step_m) + 1))
    return np.stack([np.interp(grid, arc, line[:, 0]), np.interp(grid, arc, line[:, 1])], 1)


def _strip(
    builder: MeshBuilder, ribbon: Ribbon, z_m: float, colour: np.ndarray, jitter: float = 0.0
) -> None:
    line = _dense(ribbon.line, QUAD_M)
    aside = normals(line) * ribbon.width_m / 2
    builder.strip(line - aside, line + aside, z_m, colour, None, jitter)


def _fan(builder: MeshBuilder, polygon: np.ndarray, z_m: float, colour: np.ndarray) -> None:
    """A polygon as a fan around its middle."""
    ring = np.concatenate([polygon, np.full((len(polygon), 1), z_m)], 1)
    middle = np.broadcast_to(ring.mean(0), ring.shape)
    builder.triangles(np.stack([middle, ring, np.roll(ring, -1, 0)], 1), colour, (0, 0, 1), 0.02)


def _ground(builder: MeshBuilder, town: TownMap, rng: np.random.Generator) -> None:
    colour = rng.choice(np.array(GRASSES)) * rng.uniform(0.85, 1.15)
    points = np.concatenate([r.line for r in town.lanes])
    low, high, g = points.min(0) - GROUND_REACH_M, points.max(0) + GROUND_REACH_M, GROUND_TILE_M
    x, y = np.meshgrid(np.arange(low[0], high[0], g), np.arange(low[1], high[1], g))
    tile = np.stack([x.ravel(), y.ravel(), np.full(x.size, -0.05)], 1)
    a, b, c, d = (tile + [dx * g, dy * g, 0] for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1)))
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    builder.triangles(corners, colour, (0, 0, 1), 0.06)


def _markings(builder: MeshBuilder, town: TownMap, rng: np.random.Generator) -> None:
    wear, w = rng.uniform(0.75, 1.05), rng.uniform(0.1, 0.16)
    white, yellow = np.array([0.88, 0.88, 0.85]) * wear, np.array([0.9, 0.7, 0.15]) * wear
    middle, dashed = (yellow, False) if rng.random() < 0.5 else (white, rng.random() < 0.5)
    for lane in town.lanes:
        line = _dense(lane.line, 1.5)
        normal, half = normals(line), lane.width_m / 2
        keep = np.arange(len(line) - 1) % 6 < 4 if dashed else None
        left = line + normal * half
        builder.strip(left - normal * w / 2, left + normal * w / 2, 0.02, middle, keep)
        right = line - normal * (half - 0.15)
        builder.strip(right - normal * w, right, 0.02, white)
        along, end = normal[-1] @ [[0, -1], [1, 0]], line[-1]
        ends = np.stack([end - along * 0.5, end])
        aside = np.stack([normal[-1]] * 2) * (half - 0.1)
        builder.strip(ends - aside, ends + aside, 0.021, white)
    for crossing in town.crossings:
        _zebra(builder, crossing, white)


def _zebra(builder: MeshBuilder, crossing: Ribbon, colour: np.ndarray) -> None:
    length = float(np.linalg.norm(np.diff(crossing.line, axis=0), axis=1).sum())
    line = _dense(crossing.line, length / max(2 * round(length / 1.0), 2))
    aside = normals(line) * crossing.width_m / 2 * 0.8
    keep = np.arange(len(line) - 1) % 2 == 0
    builder.strip(line - aside, line + aside, 0.022, colour, keep)


def _clear(town: TownMap) -> Float[np.ndarray, 'n 2']:
    """Points all over streets and sidewalks."""
    ribbons = [*town.lanes, *town.sidewalks, *town.crossings]
    return np.concatenate([*(_dense(r.line, 4.0) for r in ribbons), *town.junctions])


def _houses(
    builder: MeshBuilder, town: TownMap, rng: np.random.Generator
) -> Float[np.ndarray, 'n 6']:
    """Houses along the streets, none on a street or on another house.

    Each is x, y, yaw, length, width, height.
    """
    streets, taken = _clear(town), np.zeros((0, 3))
    rows = []
    for lane in town.lanes:
        line = _dense(lane.line, 18.0)
        normal = normals(line)
        for point, aside in zip(line, normal, strict=True):
            a, b, set_back = rng.uniform(9, 17), rng.uniform(9, 14), rng.uniform(7.5, 12)
            at, radius = point - aside * (set_back + b / 2), math.hypot(a, b) / 2
            if np.hypot(*(streets - at).T).min() < b / 2 + 4.5:
                continue
            if (
                len(taken)
                and (np.hypot(*(taken[:, :2] - at).T) < taken[:, 2] + radius * 0.8).any()
            ):
                continue
            taken = np.concatenate([taken, [[*at, radius * 0.8]]])
            rows.append((*at, math.atan2(-aside[0], aside[1]), a, b))
    if not rows:
        return np.zeros((0, 6))
    x = np.array(rows)
    walls = np.array(WALLS)[rng.integers(0, len(WALLS), len(x))]
    height = rng.choice([6.0, 9.0, 12.0, 18.0], len(x), p=[0.3, 0.35, 0.25, 0.1])
    builder.boxes(x[:, :2], x[:, 2], 0.0, height, (x[:, 3], x[:, 4]), walls)
    glass = walls * 0.35 + np.array([0.12, 0.16, 0.2])
    for floor in np.arange(1.2, 18.0, 3.0):
        has = height > floor + 1.6
        size = (x[has, 3] * 1.004, x[has, 4] * 1.004)
        builder.boxes(x[has, :2], x[has, 2], floor, floor + 1.3, size, glass[has])
    return np.concatenate([x, height[:, None]], 1)


def _trees(builder: MeshBuilder, town: TownMap, rng: np.random.Generator) -> None:
    streets = _clear(town)
    line = np.concatenate([_dense(r.line, 9.0) for r in town.sidewalks])
    xy = line + rng.uniform(-5, 5, line.shape)
    away = np.hypot(xy[:, None, 0] - streets[None, :, 0], xy[:, None, 1] - streets[None, :, 1])
    xy = xy[(away.min(1) > 2.6) & (rng.random(len(xy)) < rng.uniform(0.2, 0.7))]
    n = len(xy)
    h, yaw = rng.uniform(0.7, 1.3, n), rng.uniform(0, 3, n)
    leaves = np.array([0.2, 0.36, 0.16]) * rng.uniform(0.7, 1.3, (n, 1))
    builder.boxes(xy, yaw, 0.0, 2 * h, (0.3, 0.3), np.array([0.33, 0.25, 0.17]))
    builder.boxes(xy, yaw, 1.8 * h, 4 * h, (2.4 * h, 2.4 * h), leaves, taper=0.5)
    builder.boxes(xy, yaw, 3.6 * h, 5.6 * h, (1.7 * h, 1.7 * h), leaves * 1.1, taper=0.01)
