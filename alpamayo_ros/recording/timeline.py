"""The events of a recording in the order of ROS time, for those who tell a drive again."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from alpamayo_ros.recording import events
from alpamayo_ros.recording.events import Event
from alpamayo_ros.recording.recording import Recording

WHEN: dict[type, Callable[[Any], int]] = {  # [ns]; of equal times the first kind comes first
    events.Ego: lambda e: e.stamp_ns,
    events.Objects: lambda e: e.stamp_ns,
    events.Image: lambda e: e.stamp_ns,
    events.Candidates: lambda e: max(e.t0_ns, e.published_ns),
    events.Timing: lambda e: e.t0_ns,
    events.Plan: lambda e: max(e.stamp_ns, e.published_ns),
    events.Words: lambda e: e.t0_ns,
    events.Health: lambda e: e.stamp_ns,
}


def when(event: Event) -> int:
    """ROS time at which an event could be seen [ns]; 0 for a kind that has none (the route)."""
    found = WHEN.get(type(event))
    return 0 if found is None else found(event)


def in_order(recording: Recording, kinds: Sequence[type] = tuple(WHEN)) -> Iterator[Event]:
    """Events of ``kinds`` by time; of equal times, in the order of ``WHEN``."""
    streams: list[list[Event]] = [
        sorted(recording.all(kind), key=when) for kind in WHEN if kind in kinds
    ]
    yield from heapq.merge(*streams, key=when)


def count(recording: Recording, kinds: Sequence[type] = tuple(WHEN)) -> int:
    """How many ``in_order`` gives."""
    return sum(len(recording.all(kind)) for kind in kinds)
