"""The map of a log: lines, signals and priority near the ego's path, made small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float

from alpamayo_ros.datasets.log_format import Line, LineKind, Paint, Signal, Yield

MAP_REACH_M = 120.0  # of the map, what lies nearer to where the ego drove
SIMPLER_M = 0.03  # a line's points may be left out where it moves by less


@dataclass(frozen=True, slots=True)
class Drawn:
    """A polyline as a recording has it."""

    kind: LineKind
    xy: Float[np.ndarray, 'n 2']
    id: str = ''
    width_m: float = 3.5
    speed_limit_mps: float | None = None
    paint: Paint = ''


@dataclass(frozen=True, slots=True)
class Light:
    """A signal as a recording has it; steps of 0.1 s from the log's start."""

    lane: str
    xy: tuple[float, float]
    steps: tuple[int, ...]
    lights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Yielding:
    """A line before which the ego gives way; ``taken`` at these steps of 0.1 s."""

    xy: tuple[float, float]
    taken: tuple[int, ...]


def short(values: np.ndarray, digits: int = 2) -> tuple[float, ...]:
    """The values, rounded."""
    return tuple(round(float(v), digits) for v in values)


def near(xy: np.ndarray, path: np.ndarray, reach_m: float) -> bool:
    """Whether any of the points is within reach of the path."""
    away = np.linalg.norm(xy[:, None] - path[None, ::5], axis=2)
    return bool(away.min() <= reach_m)


def unplaced(drawn: Sequence[Drawn]) -> int:
    """How many lines have a place that is no finite number; ``lines`` leaves them out."""
    return sum(not np.isfinite(d.xy).all() for d in drawn)


def lines(drawn: Sequence[Drawn], origin: np.ndarray, path: np.ndarray) -> list[Line]:
    """The map near the ego's path, in as few points as its shape needs."""
    shape = shapely.LineString(path) if len(path) > 1 else shapely.Point(path[0])
    window, out = shape.buffer(MAP_REACH_M), []
    for d in drawn:
        xy = np.asarray(d.xy, float) - origin
        if len(xy) < 2 or not np.isfinite(xy).all():
            continue
        line = shapely.simplify(shapely.LineString(xy), SIMPLER_M)
        kept = [line] if d.kind == 'crosswalk' else shapely.get_parts(line.intersection(window))
        for piece in kept:
            if piece.geom_type != 'LineString' or not piece.intersects(window):
                continue
            points = shapely.get_coordinates(piece)
            x, y = short(points[:, 0]), short(points[:, 1])
            out.append(
                Line(
                    id=d.id[:80],
                    kind=d.kind,
                    x_m=x,
                    y_m=y,
                    width_m=round(d.width_m, 2),
                    speed_limit_mps=d.speed_limit_mps,
                    paint=d.paint,
                )
            )
    return out


def signals(seen: Sequence[Light], origin: np.ndarray, path: np.ndarray) -> list[Signal]:
    """The signals near the ego's path."""
    out = []
    for s in seen:
        at = np.asarray(s.xy, float) - origin
        if np.isfinite(at).all() and near(at[None], path, MAP_REACH_M):
            x, y = short(at)
            out.append(
                Signal.model_validate(
                    {'lane': s.lane, 'x_m': x, 'y_m': y, 'steps': s.steps, 'lights': s.lights}
                )
            )
    return out


def yields(seen: Sequence[Yielding], origin: np.ndarray) -> list[Yield]:
    """Lines before which the ego gives way, with the spans in which somebody has priority."""
    out = []
    for line in seen:
        x, y = short(np.asarray(line.xy, float) - origin)
        cuts = np.flatnonzero(np.diff(line.taken) > 1) + 1
        spans = [part for part in np.split(np.array(line.taken, int), cuts) if len(part)]
        pairs = tuple((int(part[0]), int(part[-1])) for part in spans)
        out.append(Yield(x_m=x, y_m=y, taken=pairs))
    return out
