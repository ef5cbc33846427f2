"""How far plans were from what was then driven, minute by minute, and where it was furthest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import mean

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.worst import ERRORS

MINUTE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Minute:
    """``plans`` compared in the minute that begins at ``start_s``; distances in metres.

    ``furthest_s``, ``x_m``, ``y_m``: when and where (in odom) the plan of the largest was made.
    """

    start_s: float
    plans: int
    mean_m: float
    largest_m: float
    furthest_s: float
    x_m: float
    y_m: float


def minutes(recording: Recording) -> tuple[str, list[Minute]]:
    """The metric that was compared, and a row a minute; ('', []) where none was measured."""
    scores = recording.all(events.Score)
    for name in ERRORS:
        found = [(s.t0_ns, value) for s in scores if (value := s.metrics.get(name)) is not None]
        if found and recording.times_ns and len(recording.ego):
            return name, _rows(recording, found)
    return '', []


def _rows(recording: Recording, found: list[tuple[int, float]]) -> list[Minute]:
    start_ns = recording.times_ns[0]
    parts: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for t0_ns, value in found:
        parts[(t0_ns - start_ns) // MINUTE_NS].append((value, t0_ns))
    rows = []
    for minute, values in sorted(parts.items()):
        largest, t0_ns = max(values)
        _, x, y, *_ = (float(v) for v in recording.ego_at(t0_ns))
        average = mean(value for value, _ in values)
        furthest_s = (t0_ns - start_ns) / 1e9
        rows.append(Minute(60.0 * minute, len(values), average, largest, furthest_s, x, y))
    return rows
