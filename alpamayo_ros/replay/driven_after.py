"""What else was on the road, by time, where the recording says so."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.recording import events
from alpamayo_ros.replay.intake import ns
from alpamayo_ros.types import EgoState

Rows = Float[np.ndarray, 'N 6']  # x, y, heading, length, width, speed
FAR_NS = 60_000_000  # boxes are used up to half a period of 10 Hz and some jitter away
APART_NS = (
    600_000_000  # between instants no further apart (2 Hz and jitter) boxes are interpolated
)
STILL_MPS = 0.05


@dataclass(slots=True)
class Surroundings:
    """Boxes of ``ground_truth/objects`` in odom, by instant, with the ids of the objects."""

    _stamps: list[int] = field(default_factory=list)
    _rows: list[Rows] = field(default_factory=list)
    _ids: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        """Number of instants known."""
        return len(self._stamps)

    def add(self, stamp_ns: int, boxes: list[events.Box]) -> None:
        """The next instant; one that is not newer is left out."""
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return
        rows = [(b.x_m, b.y_m, b.heading_rad, b.length_m, b.width_m, b.speed_mps) for b in boxes]
        self._stamps.append(stamp_ns)
        self._rows.append(np.array(rows, dtype=np.float64).reshape(-1, 6))
        self._ids.append([b.id for b in boxes])

    def forget_before(self, time_ns: int) -> None:
        """Drop what no cycle needs any more."""
        count = max(0, bisect_left(self._stamps, time_ns) - 1)
        del self._stamps[:count], self._rows[:count], self._ids[:count]

    def at_times(self, anchor: EgoState, times_ns: list[int]) -> list[Rows | None] | None:
        """Boxes in base_link at ``anchor`` at each time, None where none are known.

        Those of the nearest instant; where that is too far away, between the two around.  None
        for all where the recording holds none.
        """
        if not self._stamps:
            return None
        chosen = [self._at(time_ns) for time_ns in times_ns]
        known = [rows for rows in chosen if rows is not None]
        if not known:
            return [None] * len(times_ns)
        seen = _seen_from(anchor, np.concatenate(known))
        parts = iter(np.split(seen, np.cumsum([len(rows) for rows in known])[:-1]))
        return [None if rows is None else next(parts) for rows in chosen]

    def _at(self, time_ns: int) -> Rows | None:
        at = bisect_left(self._stamps, time_ns)
        near = [i for i in (at - 1, at) if 0 <= i < len(self._stamps)]
        best = min(near, key=lambda i: abs(self._stamps[i] - time_ns))
        if abs(self._stamps[best] - time_ns) <= FAR_NS:
            return self._rows[best]
        if len(near) < 2 or self._stamps[at] - self._stamps[at - 1] > APART_NS:
            return None
        return self._between(near[0], near[1], best, time_ns)

    def _between(self, before: int, after: int, nearer: int, time_ns: int) -> Rows:
        """Who is in both instants, in proportion; who is in the nearer one alone, as there."""
        span_ns = self._stamps[after] - self._stamps[before]
        share = (time_ns - self._stamps[before]) / span_ns
        other = before if nearer == after else after
        rows, there = (
            self._rows[nearer].copy(),
            dict(zip(self._ids[other], self._rows[other], strict=True)),
        )
        for row, number in zip(rows, self._ids[nearer], strict=True):
            if number in there:
                step = there[number] - row
                step[2] = math.remainder(step[2], math.tau)
                row += step * (share if nearer == before else 1 - share)
        return rows


def _seen_from(anchor: EgoState, rows: Rows) -> Rows:
    cos, sin = math.cos(anchor.heading_rad), math.sin(anchor.heading_rad)
    dx, dy = rows[:, 0] - anchor.x_m, rows[:, 1] - anchor.y_m
    heading = rows[:, 2] - anchor.heading_rad
    return np.column_stack([cos * dx + sin * dy, cos * dy - sin * dx, heading, rows[:, 3:]])


def boxes_in_odom(
    message: Any, ego: EgoState | None, odom_frame: str = 'odom'
) -> list[events.Box] | None:
    """Boxes of a TrackedObjectArray in odom; None where its frame cannot be placed there.

    ``ego``: the car at the array's stamp, needed where the boxes are in base_link.
    """
    frame = message.header.frame_id
    if frame == 'base_link':
        if ego is None:
            return None
        at = (ego.x_m, ego.y_m, ego.heading_rad)
    elif frame == odom_frame:
        at = (0.0, 0.0, 0.0)
    else:
        return None
    return [_box(item, at) for item in message.objects]


def unplaced(message: Any, odom_frame: str) -> str:
    """Why ``boxes_in_odom`` gave none."""
    frame = str(message.header.frame_id)
    if frame == 'base_link':
        return 'no odometry near ground_truth/objects in base_link'
    expected = f"expected {odom_frame!r} or 'base_link'"
    return f'ground_truth/objects are in frame {frame[:64]!r}, {expected}'


def _box(item: Any, at: tuple[float, float, float]) -> events.Box:
    p, q, v = item.pose.position, item.pose.orientation, item.velocity
    angle = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
    cos, sin = math.cos(at[2]), math.sin(at[2])
    speed = v.x * math.cos(angle) + v.y * math.sin(angle)
    x, y = at[0] + cos * p.x - sin * p.y, at[1] + sin * p.x + cos * p.y
    size = (float(item.length_m), float(item.width_m))
    heading = math.remainder(angle + at[2], math.tau)
    moving = speed if abs(speed) > STILL_MPS else 0.0
    return events.Box(int(item.id), str(item.kind), x, y, heading, moving, *size)


def stamp_of(message: Any) -> int:
    """Stamp of a message with a header."""
    return ns(message.header.stamp)
