"""How a motorway looks on one seed: asphalt, markings, rails, noise barriers, signs, trees."""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.simulation.maps.motorway_map import (
    APART_M,
    LANE_LENGTH_M,
    MEDIAN_M,
    RAMP_M,
    SIDE_M,
    TAPER_M,
    MotorwayMap,
)
from alpamayo_ros.simulation.road import LANE_M, STEP_M
from alpamayo_ros.simulation.scenery import ground_scenery
from alpamayo_ros.simulation.scenery.ground_scenery import band, board, rail
from alpamayo_ros.simulation.scenery.mesh import MeshBuilder, Scenery
from alpamayo_ros.simulation.scenery.road_scenery import weather

SHOULDER_M, EDGE_M = 2.2, 0.18
EVERY = 4  # points of 0.5 m: one quad each 2 m
SIGN = {'b': (0.05, 0.2, 0.62), 'w': (0.95, 0.95, 0.95), 'r': (0.8, 0.08, 0.06)}
SIGN['g'] = (0.02, 0.38, 0.2)
EXIT_SIGN = [
    'bbbbbbbbbbbb',
    'bbbbbbbwwwwb',
    'bbbbbbbbbwwb',
    'bwwbbbbbwbwb',
    'bbbbbbbwwbbb',
    'bwwwbbwwbbbb',
    'bbbbbwwbbbbb',
    'bbbbbwwbbbbb',
    'bbbbbbbbbbbb',
]
MERGE_SIGN = [
    '     r     ',
    '    rwr    ',
    '   rwwwr   ',
    '   rwkwr   ',
    '  rwwkwwr  ',
    ' rwwwkwkwr ',
    ' rwwwkkwwr ',
    'rwwwwkwwwwr',
    'rrrrrrrrrrr',
]
SIGN['k'] = (0.05, 0.05, 0.05)
MARKERS = {90.0: 3, 60.0: 2, 30.0: 1}  # metres before the exit lane: stripes


def scenery(way: MotorwayMap, seed: int, fog_1pm: float | None = None) -> Scenery:
    """The mesh and atmosphere of a motorway; ``fog_1pm`` overrides the seeded density (1/m)."""
    rng = np.random.default_rng([seed, 52])
    lighting, sky, seeded_fog = weather(rng)
    builder = MeshBuilder(lighting, rng)
    line = way.axis[::EVERY]
    points = np.concatenate([way.axis, way.at(way.s, _middle(way) * 2), way.way])
    ground_scenery.ground(builder, points, rng)
    asphalt = np.full(3, rng.uniform(0.2, 0.36)) + rng.uniform(-0.012, 0.012, 3)
    white = np.array([0.88, 0.88, 0.85]) * rng.uniform(0.75, 1.05)
    _ramp(builder, way, asphalt, white)
    _carriageway(builder, way, line, asphalt, white)
    _side_lane(builder, way, asphalt, white)
    _furniture(builder, way, rng)
    ground_scenery.trees(builder, points, rng, int(rng.uniform(60, 240)), 11.0)
    zenith = np.clip(sky * rng.uniform(0.62, 0.95) * np.array([0.85, 0.95, 1.06]), 0, 1)
    fog = seeded_fog if fog_1pm is None else fog_1pm
    return Scenery(builder.build(), sky, zenith, fog, lighting.level)


def _middle(way: MotorwayMap) -> float:
    """The middle between the carriageways."""
    return way.left_edge_m + MEDIAN_M / 2


def _carriageway(
    builder: MeshBuilder,
    way: MotorwayMap,
    line: np.ndarray,
    asphalt: np.ndarray,
    white: np.ndarray,
) -> None:
    left, right = way.left_edge_m, -LANE_M / 2
    across = 2 * _middle(way)
    band(builder, line, right - SHOULDER_M, left + 0.7, 0.0, asphalt, jitter=0.03)
    band(
        builder, line, across - left - 0.7, across - right + SHOULDER_M, 0.0, asphalt, jitter=0.03
    )
    s = way.s[::EVERY]
    open_ = np.array([way.side_width(float(v)) < 0.6 for v in s[:-1]])
    dashes = np.arange(len(line) - 1) % 6 < 2
    for edge, keep in (
        (right, open_),
        (left, None),
        (across - right, None),
        (across - left, None),
    ):
        band(builder, line, edge - EDGE_M / 2, edge + EDGE_M / 2, 0.02, white, keep)
    for k in range(1, way.lanes):
        for at in ((k - 0.5) * LANE_M, across - (k - 0.5) * LANE_M):
            band(builder, line, at - EDGE_M / 2, at + EDGE_M / 2, 0.02, white, dashes)


def _side_lane(
    builder: MeshBuilder, way: MotorwayMap, asphalt: np.ndarray, white: np.ndarray
) -> None:
    """The lane for gaining or losing speed: asphalt, its edge, a broken line to the next lane."""
    if not way.ramp:
        return
    span = (-30.0, LANE_LENGTH_M + TAPER_M) if way.ramp == 'merge' else (-LANE_LENGTH_M, 30.0)
    s = np.arange(span[0], span[1] + 1, 2.0)
    line, width = way.at(s, 0.0), np.array([way.side_width(float(v)) for v in s])
    edge = -LANE_M / 2 - width
    has = width[:-1] > 0.2
    band(builder, line, edge - SHOULDER_M * 0.6, -LANE_M / 2, 0.001, asphalt, has, 0.03)
    band(builder, line, edge - EDGE_M / 2, edge + EDGE_M / 2, 0.02, white, has)
    broken = (np.arange(len(s) - 1) % 4 < 2) & (width[:-1] > 0.6)
    band(builder, line, -LANE_M / 2 - 0.15, -LANE_M / 2 + 0.15, 0.02, white, broken)


def _ramp(builder: MeshBuilder, way: MotorwayMap, asphalt: np.ndarray, white: np.ndarray) -> None:
    """The ramp's own asphalt and edges up to the nose, and the hatched wedge before it."""
    if not way.ramp:
        return
    road = way.way[::EVERY]
    reach = np.linalg.norm(road - way.at(np.zeros(1), SIDE_M), axis=1).argmin()
    piece = road[: reach + 2] if way.ramp == 'merge' else road[max(reach - 1, 0) :]
    half = LANE_M / 2
    band(builder, piece, -half - 1.2, half + 0.9, -0.004, asphalt, jitter=0.03)
    for at in (-half, half):
        band(builder, piece, at - EDGE_M / 2, at + EDGE_M / 2, 0.02, white)
    sign = -1.0 if way.ramp == 'merge' else 1.0
    s = np.sort(sign * np.arange(0.0, 46.0, 2.0))
    line = way.at(s, 0.0)
    inner = np.array([way.way_n(float(v)) if abs(v) > 0 else SIDE_M for v in s]) + half + 0.25
    outer = np.full(len(s), -half - 0.25)
    band(builder, line, np.minimum(inner, outer) - 0.2, outer + 0.2, -0.002, asphalt)
    stripes = np.arange(len(s) - 1) % 2 == 0
    band(builder, line, np.minimum(inner, outer), outer, 0.015, white, stripes)


def _furniture(builder: MeshBuilder, way: MotorwayMap, rng: np.random.Generator) -> None:
    """Rails in the middle, reflector posts, a noise barrier on some seeds, signs."""
    line, middle = way.axis[::EVERY], _middle(way)
    rail(builder, line, middle - 0.5)
    rail(builder, line, middle + 0.5)
    if rng.random() < 0.5:
        far = way.at(way.s[::16], 2 * middle + LANE_M / 2 + SHOULDER_M + 1.5)
        along = np.diff(far, axis=0)
        yaw, length = np.arctan2(along[:, 1], along[:, 0]), np.linalg.norm(along, axis=1)
        wall = np.array([0.45, 0.5, 0.46]) * rng.uniform(0.85, 1.15)
        builder.boxes((far[1:] + far[:-1]) / 2, yaw, 0.0, 3.5, (length * 1.01, 0.2), wall)
    posts = way.s[::100]
    aside = np.array([way.side_width(float(v)) for v in posts])
    free = np.abs(posts) > (60.0 if way.ramp else -1.0)
    free &= ~_ramp_beside(way, posts)
    xy = way.at(posts, -LANE_M / 2 - SHOULDER_M - 0.6 - aside)[free]
    white = np.array([0.92, 0.92, 0.92])
    yaw = np.full(len(xy), 0.0)
    builder.boxes(xy, yaw, 0.0, 1.0, (0.14, 0.14), white)
    builder.boxes(xy, yaw, 0.72, 0.9, (0.15, 0.15), np.array([0.06, 0.06, 0.06]))
    _signs(builder, way)


def _ramp_beside(way: MotorwayMap, s: np.ndarray) -> np.ndarray:
    if way.ramp == 'merge':
        out: np.ndarray = (s < 10) & (s > -RAMP_M - 60)
    elif way.ramp == 'exit':
        out = (s > -10) & (s < RAMP_M + 60)
    else:
        out = np.zeros(len(s), bool)
    return out


def _signs(builder: MeshBuilder, way: MotorwayMap) -> None:
    def put(s: float, n: float, pixels: list[str], cell: float, bottom: float) -> None:
        i = int((s - way.s[0]) / STEP_M)
        x, y = way.at(np.array([s]), n)[0]
        board(builder, (x, y), float(way.heading[i]), pixels, cell, bottom, SIGN)

    verge = -LANE_M / 2 - SHOULDER_M - 1.6
    if way.ramp == 'exit':
        put(-LANE_LENGTH_M - 12, verge - 1.5, EXIT_SIGN, 0.32, 1.8)
        put(12.0, (APART_M * 0.18 + SIDE_M) / 2 - 0.3, ['bbbb', 'bwwb', 'bbwb', 'bbbb'], 0.35, 1.2)
        for away, stripes in MARKERS.items():
            rows = ['bbbb'] + ['bwwb', 'bbbb'] * stripes
            put(-LANE_LENGTH_M - away - 20, verge, rows, 0.22, 0.6)
    if way.ramp == 'merge':
        i = int(len(way.way) * 0 + (_first_ramp(way)))
        x, y = way.way[i]
        ahead = way.way[i + 1] - way.way[i]
        heading = math.atan2(ahead[1], ahead[0])
        right = (x + 3.6 * math.sin(heading), y - 3.6 * math.cos(heading))
        board(builder, right, heading, MERGE_SIGN, 0.13, 1.6, SIGN)


def _first_ramp(way: MotorwayMap) -> int:
    """Index of the ego's way 60 m before the nose."""
    nose = way.at(np.zeros(1), SIDE_M)[0]
    k = int(np.linalg.norm(way.way - nose, axis=1).argmin())
    return max(k - int(60 / STEP_M), 0)
