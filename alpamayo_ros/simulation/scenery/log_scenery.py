"""How a recorded scene looks: asphalt under its lanes, its lines, kerbs, crossings and posts.

The geometry is the map's; colours, weather, trees and houses are the seed's.  Where a log has no
map, asphalt lies where somebody drives.
"""

from __future__ import annotations

import numpy as np
import shapely
from jaxtyping import Float

from alpamayo_ros.datasets.log_format import Line, Log
from alpamayo_ros.simulation.maps.log_road import LogRoad
from alpamayo_ros.simulation.path_road import resample
from alpamayo_ros.simulation.road import LANE_M
from alpamayo_ros.simulation.scenery import ground_scenery
from alpamayo_ros.simulation.scenery.ground_scenery import band, normals
from alpamayo_ros.simulation.scenery.log_signals import Head
from alpamayo_ros.simulation.scenery.mesh import MeshBuilder, Scenery
from alpamayo_ros.simulation.scenery.road_scenery import WALLS, weather
from alpamayo_ros.simulation.scenery.street_furniture import plant, signal_post

SHOULDER_M = 0.7  # asphalt goes so far beyond a lane
EDGE_REACH_M = 2.5  # and so far where a road edge of the map ends it
LINE_M, STOP_M, EDGE_M = 0.14, 0.35, 0.3
DASH_ON_M, DASH_M = 3.0, 9.0
BAR_M = 0.6  # of a zebra crossing, and the gap between two bars
DRIVES = frozenset({'car', 'van', 'truck', 'bus', 'motorcycle'})
POINT_M = 8.0
Points = Float[np.ndarray, 'n 2']


def scenery(
    log: Log, road: LogRoad, heads: list[Head], seed: int, fog_1pm: float | None = None
) -> Scenery:
    """The mesh and atmosphere of a log; ``fog_1pm`` overrides the seeded density (1/m)."""
    rng = np.random.default_rng([seed, 82])
    lighting, sky, seeded_fog = weather(rng)
    builder = MeshBuilder(lighting, rng)
    ways = _ways(log, road)
    area = _covered(ways, SHOULDER_M)
    points = np.concatenate([resample(xy, POINT_M) for xy, _ in ways])
    asphalt = np.full(3, rng.uniform(0.22, 0.38)) + rng.uniform(-0.012, 0.012, 3)
    ground_scenery.ground(builder, points, rng)
    _fill(builder, _paved(log, ways, area), asphalt)
    _paint(builder, log, road, rng)
    kerb = np.array([0.62, 0.61, 0.58]) * rng.uniform(0.85, 1.1)
    for line in log.of_kind('road_edge'):
        xy = resample(line.points(), 1.5)
        if len(xy) > 2:
            band(builder, xy, -EDGE_M / 2, EDGE_M / 2, 0.03, kerb, jitter=0.03)
    for head in heads:
        signal_post(builder, head.x_m, head.y_m, head.heading_rad)
    shapely.prepare(area)
    _houses(builder, points, area, rng)
    _trees(builder, points, area, rng)
    zenith = np.clip(sky * rng.uniform(0.62, 0.95) * np.array([0.85, 0.95, 1.06]), 0, 1)
    fog = seeded_fog if fog_1pm is None else fog_1pm
    return Scenery(builder.build(), sky, zenith, fog, lighting.level)


def _ways(log: Log, road: LogRoad) -> list[tuple[Points, float]]:
    """Lines of asphalt with half their widths.

    Lanes and the ego's path; without lanes the ways of all that drive, prolonged as far as the ego
    sees.
    """
    lanes = [(line.points(), line.width_m / 2) for line in log.of_kind('lane_centre')]
    own = road.position[::4]
    if lanes:
        own = road.position[: int(np.ceil((road.recorded_m + 120.0) / 0.5)) : 4]
        return [*lanes, (own, LANE_M / 2)]
    out = [(own, LANE_M / 2 + 0.8)]
    for track in log.agents:
        xy = track.states()[:, :2]
        if track.kind not in DRIVES:
            continue
        h = track.heading_rad[0]
        along = np.array([np.cos(h), np.sin(h)])
        moves = len(xy) > 1 and np.hypot(*(xy[-1] - xy[0])) > 2
        span, more_m = (xy, 30.0) if moves else (xy[[0]] + [-along, along], 3.0)
        ends = (span[0] - more_m * along, span[-1] + more_m * along)
        out.append((np.concatenate([ends[:1], span, ends[1:]]), LANE_M / 2))
    return out


def _covered(ways: list[tuple[Points, float]], more_m: float) -> shapely.Geometry:
    """The area of all ways, wider by so much on each side."""
    return shapely.union_all(
        [shapely.LineString(xy).buffer(half + more_m, cap_style='flat') for xy, half in ways]
    )


def _paved(log: Log, ways: list[tuple[Points, float]], area: shapely.Geometry) -> shapely.Geometry:
    """Where asphalt lies: the area, and as far as the map's road edges where they are near."""
    edges = [shapely.LineString(e.points()) for e in log.of_kind('road_edge')]
    if not edges:
        return area.buffer(0.6).buffer(-0.6)
    walls = shapely.union_all(edges).buffer(0.05)
    wide = _covered(ways, EDGE_REACH_M).difference(walls)
    middles = shapely.union_all([shapely.LineString(xy) for xy, _ in ways])
    inside = [part for part in shapely.get_parts(wide) if part.intersects(middles)]
    return shapely.union_all(inside).buffer(0.3).buffer(-0.3)


def _fill(builder: MeshBuilder, area: shapely.Geometry, colour: np.ndarray) -> None:
    """An area on the ground, in triangles."""
    cells = shapely.constrained_delaunay_triangles(area)
    corners = [shapely.get_coordinates(t)[:3] for t in shapely.get_parts(cells)]
    if not corners:
        return
    flat = np.array(corners)
    flat = np.concatenate([flat, np.zeros((*flat.shape[:2], 1))], 2)
    builder.triangles(flat, colour, (0, 0, 1), 0.0)


def _paint(builder: MeshBuilder, log: Log, road: LogRoad, rng: np.random.Generator) -> None:
    wear = rng.uniform(0.75, 1.05)
    white, yellow = np.array([0.88, 0.88, 0.85]) * wear, np.array([0.9, 0.7, 0.15]) * wear
    for line in log.of_kind('lane_line'):
        _lane_line(builder, line, yellow if 'yellow' in line.paint else white)
    for line in log.of_kind('stop_line'):
        xy = resample(line.points(), 0.5)
        if len(xy) > 2:
            band(builder, xy, 0.0, STOP_M, 0.022, white)
    for line in log.of_kind('crosswalk'):
        _zebra(builder, line, white)
    if not log.of_kind('lane_centre'):
        own = road.position[::3]
        for aside in (-LANE_M / 2, LANE_M / 2):
            keep = np.arange(len(own) - 1) % 6 < 2
            band(builder, own, aside - LINE_M / 2, aside + LINE_M / 2, 0.02, white, keep)


def _lane_line(builder: MeshBuilder, line: Line, colour: np.ndarray) -> None:
    dashed = line.paint.endswith('dashed')
    xy = resample(line.points(), 1.0 if dashed else 1.5)
    if len(xy) < 3:
        return
    keep = np.arange(len(xy) - 1) % DASH_M < DASH_ON_M if dashed else None
    middles = (-LINE_M, LINE_M) if line.paint == 'yellow_double' else (0.0,)
    for middle in middles:
        band(builder, xy, middle - LINE_M / 2, middle + LINE_M / 2, 0.02, colour, keep)


def _zebra(builder: MeshBuilder, line: Line, colour: np.ndarray) -> None:
    """Bars across the longer side of the smallest rectangle around a crossing."""
    if len(line.x_m) < 3:
        return
    box = shapely.minimum_rotated_rectangle(shapely.MultiPoint(line.points()))
    c = shapely.get_coordinates(box)[:4]
    if len(c) < 4:
        return
    a, b = c[1] - c[0], c[2] - c[1]
    if np.hypot(*a) < np.hypot(*b):
        c, (a, b) = np.roll(c, -1, 0), (b, -a)
    length, across = float(np.hypot(*a)), float(np.hypot(*b))
    if across < 0.5:
        return
    at = np.arange(BAR_M, length - BAR_M / 2, 2 * BAR_M)
    xy = c[0] + b / 2 + at[:, None] * a / length
    yaw = np.full(len(xy), float(np.arctan2(a[1], a[0])))
    builder.boxes(xy, yaw, 0.02, 0.022, (BAR_M, across), colour, jitter=0.02)


def _free(area: shapely.Geometry, xy: Points, least_m: float) -> np.ndarray:
    """Which places are at least so far from asphalt."""
    away: np.ndarray = shapely.distance(area, shapely.points(xy)) >= least_m
    return away


def _houses(
    builder: MeshBuilder, points: Points, area: shapely.Geometry, rng: np.random.Generator
) -> None:
    base = points[rng.integers(0, len(points), int(rng.uniform(20, 60)))]
    angle, far = rng.uniform(0, 2 * np.pi, len(base)), rng.uniform(16, 50, len(base))
    xy = base + np.stack([np.cos(angle), np.sin(angle)], 1) * far[:, None]
    xy = xy[_free(area, xy, 12.0)]
    n = len(xy)
    near = np.linalg.norm(xy[:, None] - points[None], axis=2).argmin(1)
    side = normals(points)[near]
    yaw, walls = np.arctan2(side[:, 1], side[:, 0]), np.array(WALLS)[rng.integers(0, 4, n)]
    z, a, b = rng.uniform(4, 11, n), rng.uniform(8, 14, n), rng.uniform(8, 16, n)
    builder.boxes(xy, yaw, 0.0, z, (b, a), walls)
    roof = np.array([0.45, 0.25, 0.2])
    builder.boxes(xy, yaw, z, z + 2.0, (b * 1.05, a * 1.05), roof, taper=0.3)


def _trees(
    builder: MeshBuilder, points: Points, area: shapely.Geometry, rng: np.random.Generator
) -> None:
    count = int(rng.uniform(100, 260))
    base = points[rng.integers(0, len(points), count)]
    angle, far = rng.uniform(0, 2 * np.pi, count), rng.uniform(4, 45, count)
    xy = base + np.stack([np.cos(angle), np.sin(angle)], 1) * far[:, None]
    xy = xy[_free(area, xy, 3.0)]
    plant(builder, xy, rng)
