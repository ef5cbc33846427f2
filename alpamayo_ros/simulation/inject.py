"""Faults put into a stream of messages, in tests and in the simulator: losses, stamps, clocks.

An injector takes one event and returns the events that come of it (none, one or several).  It
knows nothing of ROS, draws only from its own seed, and counts time from the first event that it
sees.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alpamayo_ros.units import NS


@dataclass(frozen=True, slots=True)
class Event:
    """A message of ``source`` (camera or topic), captured at stamp, received at arrival."""

    source: str
    stamp_ns: int
    arrival_ns: int
    payload: Any = None


ALL = '*'  # as a source: every one
Injector = Callable[[Event], list[Event]]
Change = Callable[[Event], list[Event]]


class During:
    """Applies ``change`` to events of ``source`` (``ALL``: any) that arrive in [start, stop)."""

    def __init__(self, source: str, start_s: float, stop_s: float, change: Change) -> None:
        """Time counts from the first call of ``begin``."""
        self._source, self._start_s, self._stop_s = source, start_s, stop_s
        self._change = change
        self._first_ns: int | None = None

    def begin(self, now_ns: int) -> None:
        """Count from here on, where nobody has said so before."""
        if self._first_ns is None:
            self._first_ns = now_ns

    def __call__(self, event: Event) -> list[Event]:
        self.begin(event.arrival_ns)
        at_s = (event.arrival_ns - (self._first_ns or 0)) / NS
        hit = self._source in (ALL, event.source) and self._start_s <= at_s < self._stop_s
        return self._change(event) if hit else [event]


def during(source: str, start_s: float, stop_s: float, change: Change) -> Injector:
    """The same, as the injectors are made."""
    return During(source, start_s, stop_s, change)


FOREVER = float('inf')


def drop(source: str, start_s: float = 0.0, stop_s: float = FOREVER) -> Injector:
    """Silence a source."""
    return during(source, start_s, stop_s, lambda event: [])


def drop_random(
    source: str, share: float, seed: int, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Lose ``share`` of the messages at random."""
    rng = random.Random(seed)
    return during(source, start_s, stop_s, lambda e: [] if rng.random() < share else [e])


def shift_stamp(
    source: str, offset_ms: float, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Let the stamps of a source lag (negative) or lead by a constant."""
    offset_ns = round(offset_ms * 1e6)
    return during(source, start_s, stop_s, lambda e: [replace(e, stamp_ns=e.stamp_ns + offset_ns)])


def set_stamp(
    source: str, stamp_ns: int, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Stamp every message the same, for instance zero."""
    return during(source, start_s, stop_s, lambda e: [replace(e, stamp_ns=stamp_ns)])


def delay(source: str, by_ms: float, start_s: float = 0.0, stop_s: float = FOREVER) -> Injector:
    """Deliver later by a constant; stamps stay."""
    by_ns = round(by_ms * 1e6)
    return during(source, start_s, stop_s, lambda e: [replace(e, arrival_ns=e.arrival_ns + by_ns)])


def shuffle(
    source: str, window_ms: float, seed: int, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Deliver up to ``window_ms`` late at random, so that the order changes."""
    rng = random.Random(seed)
    window_ns = round(window_ms * 1e6)

    def late(event: Event) -> list[Event]:
        return [replace(event, arrival_ns=event.arrival_ns + rng.randrange(window_ns + 1))]

    return during(source, start_s, stop_s, late)


def duplicate(
    source: str, payload: Any = None, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Send twice with one stamp; the second with ``payload`` where that is given."""

    def twice(event: Event) -> list[Event]:
        return [event, event if payload is None else replace(event, payload=payload)]

    return during(source, start_s, stop_s, twice)


def freeze(source: str, start_s: float = 0.0, stop_s: float = FOREVER) -> Injector:
    """Repeat the payload of the first message inside, with new stamps."""
    held: dict[str, Any] = {}

    def again(event: Event) -> list[Event]:
        return [replace(event, payload=held.setdefault(event.source, event.payload))]

    return during(source, start_s, stop_s, again)


def replace_payload(
    source: str, payload: Any, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Put other content under the same stamps."""
    return during(source, start_s, stop_s, lambda e: [replace(e, payload=payload)])


def truncate(source: str, seed: int, start_s: float = 0.0, stop_s: float = FOREVER) -> Injector:
    """Cut a bytes payload at a random byte."""
    rng = random.Random(seed)

    def cut(event: Event) -> list[Event]:
        if not event.payload:
            return [event]
        return [replace(event, payload=event.payload[: rng.randrange(len(event.payload))])]

    return during(source, start_s, stop_s, cut)


def flip_bits(
    source: str, bits: int, seed: int, start_s: float = 0.0, stop_s: float = FOREVER
) -> Injector:
    """Flip random bits of a bytes payload."""
    rng = random.Random(seed)

    def flip(event: Event) -> list[Event]:
        data = bytearray(event.payload)
        if not data:
            return [event]
        for _ in range(bits):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return [replace(event, payload=bytes(data))]

    return during(source, start_s, stop_s, flip)


def jump_clock(at_s: float, by_s: float, stop_s: float = FOREVER) -> Injector:
    """From ``at_s`` on everything, stamps and clock, is ``by_s`` later (negative: earlier)."""
    by_ns = round(by_s * NS)

    def jump(event: Event) -> list[Event]:
        return [
            replace(event, stamp_ns=event.stamp_ns + by_ns, arrival_ns=event.arrival_ns + by_ns)
        ]

    return during(ALL, at_s, stop_s, jump)


def decimate(source: str, keep_every: int) -> Injector:
    """Keep every n-th message: the rate falls."""
    seen: dict[str, int] = {}

    def keep(event: Event) -> list[Event]:
        seen[event.source] = seen.get(event.source, -1) + 1
        return [event] if seen[event.source] % keep_every == 0 else []

    return during(source, 0.0, FOREVER, keep)


class Line:
    """Injectors one behind the other, and what they hold back."""

    def __init__(self, injectors: Sequence[Injector]) -> None:
        """Nothing is held back yet."""
        self._injectors = tuple(injectors)
        self._late: list[Event] = []

    def feed(self, event: Event) -> None:
        """One event; what comes of it is due at its arrival."""
        self._late += through(event, self._injectors)

    def due(self, until_ns: int, source: str = ALL) -> list[Event]:
        """What of ``source`` has arrived until then, in that order."""
        here: list[Event] = []
        later: list[Event] = []
        for event in self._late:
            due = event.arrival_ns <= until_ns and source in (ALL, event.source)
            (here if due else later).append(event)
        self._late = later
        return sorted(here, key=lambda e: e.arrival_ns)


def through(event: Event, injectors: Sequence[Injector]) -> list[Event]:
    """What comes of one event; for all of them time begins with the first event of any."""
    found = [event]
    for inject in injectors:
        if isinstance(inject, During):
            inject.begin(event.arrival_ns)
    for inject in injectors:
        found = [after for before in found for after in inject(before)]
    return found


def apply(events: Iterable[Event], injectors: Sequence[Injector]) -> list[Event]:
    """The stream after all injectors, in order of delivery.

    Sorted by arrival only where a delay may have changed the order: a clock jump keeps its place.
    """
    out = []
    for i, event in enumerate(events):
        out += [(event.arrival_ns, i, result) for result in through(event, injectors)]
    return [e for _, _, e in sorted(out, key=lambda row: _delivery(row[0], row[2], row[1]))]


def _delivery(original_ns: int, event: Event, index: int) -> tuple[int, int]:
    """Sort key: a later arrival is a delay below a second, anything more a clock jump."""
    moved_ns = event.arrival_ns - original_ns
    return (event.arrival_ns if 0 <= moved_ns < NS else original_ns, index)
