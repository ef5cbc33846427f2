"""Streams of camera frames for the tests, and a fake clock that drives the sync through them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import Limits, load_limits
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera, SyncedSet
from alpamayo_ros.simulation.inject import Event

NS = 1_000_000_000
MS = 1_000_000
NAMES = ('front', 'front_left', 'front_right', 'rear_left', 'rear', 'rear_right')
START_NS = 1_700_000_000 * NS
TRANSPORT_NS = 30 * MS


def stream(
    timesteps: int, hz: float = 10.0, jitter_ms: float = 2.0, seed: int = 0, names=NAMES
) -> list[Event]:
    """Frames of all cameras, triggered together, each jittered and 30 to 35 ms under way."""
    rng = random.Random(seed)
    events = []
    for step in range(timesteps):
        due_ns = START_NS + round(step * NS / hz)
        for name in names:
            stamp_ns = due_ns + round(rng.uniform(-jitter_ms, jitter_ms) * MS)
            arrival_ns = due_ns + TRANSPORT_NS + round(rng.uniform(0, 5) * MS)
            events.append(Event(name, stamp_ns, arrival_ns, (name, step)))
    return sorted(events, key=lambda e: e.arrival_ns)


def make_sync(
    hz: float = 10.0,
    policy: str = 'hold',
    required=('front',),
    limits: Limits | None = None,
    names=NAMES,
) -> CameraSync:
    """A sync over the cameras of the shipped rig; ``limits`` None: those that ship."""
    period_ns = round(NS / hz)
    cameras = [SyncCamera(n, period_ns, policy, n in required) for n in names]
    return CameraSync(cameras, limits or load_limits())


@dataclass
class Outcome:
    """Everything the sync gave."""

    sets: list[SyncedSet] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    health: list[tuple[int, Fault]] = field(default_factory=list)

    def codes(self) -> set[str]:
        """Names of all faults, of frames, sets and the watch."""
        of_sets = [f for s in self.sets for f in s.faults]
        watched = [f for _, f in self.health]
        return {f.code.name for f in (*self.faults, *of_sets, *watched)}

    def count(self, code: str) -> int:
        """How many frames or sets were refused for ``code``."""
        return sum(f.code.name == code for f in self.faults)


def drive(sync: CameraSync, events: Iterable[Event], poll_ms: float = 25.0) -> Outcome:
    """Deliver the events; between them the clock is polled, as the node's timer does."""
    out = Outcome()
    now_ns: int | None = None
    for event in events:
        step_ns = round(poll_ms * MS)
        while now_ns is not None and now_ns + step_ns < event.arrival_ns < now_ns + 400 * MS:
            now_ns += step_ns
            _take(out, sync.poll(now_ns))
            out.health += [(now_ns, fault) for fault in sync.watch.faults(now_ns)]
        now_ns = event.arrival_ns
        _take(out, sync.push(event.source, event.stamp_ns, event.payload, now_ns))
    if now_ns is not None:
        for _ in range(20):
            now_ns += step_ns
            _take(out, sync.poll(now_ns))
    return out


def _take(out: Outcome, results) -> None:
    for result in results:
        (out.faults if isinstance(result, Fault) else out.sets).append(result)
