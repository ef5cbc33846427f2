"""How a roundabout looks on one seed: island, ring, arms, islands, lines, signs, houses."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.simulation.maps.roundabout_map import (
    ARM_M,
    ARMS,
    FLARE_M,
    LANE_M,
    RADIUS_M,
    RING_M,
    YIELD_M,
    RoundaboutMap,
)
from alpamayo_ros.simulation.scenery import ground_scenery
from alpamayo_ros.simulation.scenery.ground_scenery import band, board
from alpamayo_ros.simulation.scenery.mesh import MeshBuilder, Scenery
from alpamayo_ros.simulation.scenery.road_scenery import WALLS, weather

EDGE_M = 0.14
COLOURS = {'r': (0.8, 0.06, 0.05), 'w': (0.95, 0.95, 0.93), 'b': (0.05, 0.22, 0.65)}
GIVE_WAY = ['rrrrrrrrr', 'rwwwwwwwr', ' rwwwwwr ', ' rwwwwwr ', '  rwwwr  ', '  rrwrr  ',
            '   rrr   ', '    r    ']  # fmt: skip
ROUND = ['  bbbbb  ', ' bbwwwbb ', 'bbwbbbwwb', 'bwbbbbbwb', 'bwwbbbbwb', 'bwbbbbwbb',
         'bbbwwwbbb', ' bbbbbbb ', '  bbbbb  ']  # fmt: skip
CHEVRONS = ['bbwwbbbwwbbbwwbb', 'bwwbbbwwbbbwwbbb', 'wwbbbwwbbbwwbbbb', 'bwwbbbwwbbbwwbbb',
            'bbwwbbbwwbbbwwbb']  # fmt: skip


def scenery(way: RoundaboutMap, seed: int, fog_1pm: float | None = None) -> Scenery:
    """The mesh and atmosphere of a roundabout; ``fog_1pm`` overrides the seeded density (1/m)."""
    rng = np.random.default_rng([seed, 63])
    lighting, sky, seeded_fog = weather(rng)
    builder = MeshBuilder(lighting, rng)
    arms = [np.arange(0, ARM_M + 30, 1.0)[:, None] * way.axis(k)[0] for k in range(ARMS)]
    points = np.concatenate([_ring(RADIUS_M), *arms])
    ground_scenery.ground(builder, points, rng)
    asphalt = np.full(3, rng.uniform(0.22, 0.38)) + rng.uniform(-0.012, 0.012, 3)
    white = np.array([0.88, 0.88, 0.85]) * rng.uniform(0.75, 1.05)
    kerb = np.array([0.62, 0.61, 0.58]) * rng.uniform(0.85, 1.1)
    for k in range(ARMS):
        _arm(builder, way, k, asphalt, white, kerb)
    band(builder, _ring(RADIUS_M), -RING_M / 2 - 0.4, RING_M / 2, 0.001, asphalt, jitter=0.02)
    inner = RADIUS_M - RING_M / 2
    band(builder, _ring(inner), -EDGE_M, EDGE_M, 0.021, white)
    _island(builder, way, inner - 0.6, kerb, rng)
    for k in range(ARMS):
        _lines(builder, way, k, white)
    _houses(builder, points, rng)
    ground_scenery.trees(builder, points, rng, int(rng.uniform(40, 160)), 9.0)
    zenith = np.clip(sky * rng.uniform(0.62, 0.95) * np.array([0.85, 0.95, 1.06]), 0, 1)
    fog = seeded_fog if fog_1pm is None else fog_1pm
    return Scenery(builder.build(), sky, zenith, fog, lighting.level)


def _ring(radius_m: float, sides: int = 72) -> np.ndarray:
    a = np.linspace(0, 2 * np.pi, sides + 1)
    return radius_m * np.stack([np.cos(a), np.sin(a)], 1)


def _arm(
    builder: MeshBuilder,
    way: RoundaboutMap,
    k: int,
    asphalt: np.ndarray,
    white: np.ndarray,
    kerb: np.ndarray,
) -> None:
    """Asphalt of both directions, their edges, the line between them, the splitter island."""
    out, left = way.axis(k)
    for line in (way.way_in(k)[::3], way.way_out(k)[::3]):
        band(builder, line, -LANE_M / 2 - 0.5, LANE_M / 2 + 0.4, 0.0, asphalt, jitter=0.02)
    r = np.arange(RADIUS_M, ARM_M, 2.0)
    middle = r[:, None] * out
    band(builder, middle, -2.6, 2.6, -0.003, asphalt, jitter=0.02)
    for line in (way.way_in(k), way.way_out(k)):
        away = np.hypot(line[:, 0], line[:, 1])
        edge = line[away > RADIUS_M + RING_M / 2 + 0.3][::3]
        at = -(LANE_M / 2 + 0.1)
        band(builder, edge, at - EDGE_M / 2, at + EDGE_M / 2, 0.02, white)
    far = middle[r > 62]
    dashes = np.arange(len(far) - 1) % 4 < 2
    band(builder, far, -EDGE_M / 2, EDGE_M / 2, 0.02, white, dashes)
    tip = np.arange(FLARE_M - 5.5, 56, 1.5)
    width = np.interp(tip, [FLARE_M - 5.5, FLARE_M - 2, 56], [1.5, 1.1, 0.12])
    base = tip[:, None] * out
    band(builder, base, -width - 0.12, width + 0.12, 0.02, white)
    band(builder, base, -width, width, 0.12, kerb)
    for side in (-1.0, 1.0):
        edge = base + left * (side * width)[:, None]
        _wall(builder, edge, 0.12, kerb * 0.8)


def _wall(builder: MeshBuilder, line: np.ndarray, top_m: float, colour: np.ndarray) -> None:
    """An upright strip along a line, up to ``top_m``."""
    low = np.concatenate([line, np.zeros((len(line), 1))], 1)
    high = np.concatenate([line, np.full((len(line), 1), top_m)], 1)
    a, b, c, d = low[:-1], low[1:], high[1:], high[:-1]
    builder.triangles(np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]), colour)


def _island(
    builder: MeshBuilder,
    way: RoundaboutMap,
    radius_m: float,
    kerb: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """A grassy mound with a kerb, bushes, and chevrons that face each way in."""
    _wall(builder, _ring(radius_m), 0.15, kerb)
    band(builder, _ring(radius_m), 0.0, 0.35, 0.15, kerb)
    grass = np.array([0.3, 0.46, 0.2]) * rng.uniform(0.85, 1.15)
    rings = [(radius_m - 0.35, 0.15), (radius_m * 0.65, 0.75), (radius_m * 0.3, 1.05), (0.05, 1.1)]
    for (r0, z0), (r1, z1) in zip(rings, rings[1:], strict=False):
        low, high = _ring(r0, 36), _ring(r1, 36)
        p = np.concatenate([low, np.full((len(low), 1), z0)], 1)
        q = np.concatenate([high, np.full((len(high), 1), z1)], 1)
        a, b, c, d = p[:-1], p[1:], q[1:], q[:-1]
        faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
        builder.triangles(faces, grass, None, 0.04)
    n = 9
    angle, r = rng.uniform(0, 2 * np.pi, n), rng.uniform(0.5, radius_m * 0.55, n)
    xy = np.stack([np.cos(angle), np.sin(angle)], 1) * r[:, None]
    leaves = np.array([0.2, 0.38, 0.16]) * rng.uniform(0.7, 1.3, (n, 1))
    high = rng.uniform(1.6, 2.6, n)
    builder.boxes(xy, angle, 0.6, high, (1.4, 1.4), leaves, taper=0.3)
    for k in range(ARMS):
        facing = float(way.angles[k]) + 0.16
        place = (radius_m - 0.9) * np.array([np.cos(facing), np.sin(facing)])
        board(builder, (place[0], place[1]), facing + np.pi, CHEVRONS, 0.14, 0.75, COLOURS)


def _lines(builder: MeshBuilder, way: RoundaboutMap, k: int, white: np.ndarray) -> None:
    """Give-way line (short blocks across the lane) and the two signs before it."""
    line = way.way_in(k)
    away = np.hypot(line[:, 0], line[:, 1])
    i = int((away < YIELD_M).argmax())
    ahead = line[i + 1] - line[i - 1]
    heading = float(np.arctan2(ahead[1], ahead[0]))
    right = np.array([np.sin(heading), -np.cos(heading)])
    along = np.array([np.cos(heading), np.sin(heading)])
    for row in (0.0, -0.75):
        across = np.arange(-1.6, 1.65, 0.8)
        at = line[i] + row * along + across[:, None] * right
        yaw = np.full(len(at), heading)
        builder.boxes(at, yaw, 0.021, 0.024, (0.5, 0.45), white, jitter=0.0)
    spot = line[i] + right * 3.3 - along * 2.0
    board(builder, (spot[0], spot[1]), heading, GIVE_WAY, 0.12, 1.3, COLOURS)
    j = int((away < YIELD_M + 22).argmax())
    before = line[j + 1] - line[j - 1]
    turn = float(np.arctan2(before[1], before[0]))
    spot = line[j] + 3.2 * np.array([np.sin(turn), -np.cos(turn)])
    board(builder, (spot[0], spot[1]), turn, ROUND, 0.11, 1.7, COLOURS)


def _houses(builder: MeshBuilder, points: np.ndarray, rng: np.random.Generator) -> None:
    base = points[rng.integers(0, len(points), int(rng.uniform(6, 26)))]
    angle, far = rng.uniform(0, 2 * np.pi, len(base)), rng.uniform(22, 50, len(base))
    xy = base + np.stack([np.cos(angle), np.sin(angle)], 1) * far[:, None]
    xy = xy[np.linalg.norm(xy[:, None] - points[None], axis=2).min(1) > 17]
    n = len(xy)
    yaw, walls = rng.uniform(0, 3, n), np.array(WALLS)[rng.integers(0, 4, n)]
    z, a, b = rng.uniform(3, 7, n), rng.uniform(7, 12, n), rng.uniform(7, 14, n)
    builder.boxes(xy, yaw, 0.0, z, (b, a), walls)
    roof = np.array([0.45, 0.25, 0.2])
    builder.boxes(xy, yaw, z, z + 2.5, (b * 1.05, a * 1.05), roof, taper=0.3)
