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

Rows = Float[np.ndarray, 'N 5']
FAR_NS = 60_000_000  # boxes are used up to half a period of 10 Hz and some jitter away
STILL_MPS = 0.05


@dataclass(slots=True)
class Surroundings:
    """Boxes of ``ground_truth/objects`` in odom; rows: x, y, heading, length, width."""

    _stamps: list[int] = field(default_factory=list)
    _rows: list[Rows] = field(default_factory=list)

    def __len__(self) -> int:
        """Number of instants known."""
        return len(self._stamps)

    def add(self, stamp_ns: int, boxes: list[events.Box]) -> None:
        """The next instant; one that is not newer is left out."""
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return
        rows = [(b.x_m, b.y_m, b.heading_rad, b.length_m, b.width_m) for b in boxes]
        self._stamps.append(stamp_ns)
        self._rows.append(np.array(rows, dtype=np.float64).reshape(-1, 5))

    def forget_before(self, time_ns: int) -> None:
        """Drop what no cycle needs any more."""
        count = max(0, bisect_left(self._stamps, time_ns) - 1)
        del self._stamps[:count], self._rows[:count]

    def at_times(self, anchor: EgoState, times_ns: list[int]) -> list[Rows | None] | None:
        """Boxes in base_link at ``anchor`` at each time, None where none are known.

        None for all where the recording holds none.
        """
        if not self._stamps:
            return None
        chosen = [self._nearest(time_ns) for time_ns in times_ns]
        known = [self._rows[i] for i in chosen if i is not None]
        if not known:
            return [None] * len(times_ns)
        seen = _seen_from(anchor, np.concatenate(known))
        parts = iter(np.split(seen, np.cumsum([len(rows) for rows in known])[:-1]))
        return [None if i is None else next(parts) for i in chosen]

    def _nearest(self, time_ns: int) -> int | None:
        at = bisect_left(self._stamps, time_ns)
        near = [i for i in (at - 1, at) if 0 <= i < len(self._stamps)]
        best = min(near, key=lambda i: abs(self._stamps[i] - time_ns))
        return best if abs(self._stamps[best] - time_ns) <= FAR_NS else None


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
