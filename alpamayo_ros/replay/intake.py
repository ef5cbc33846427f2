"""From the messages of a bag to steps with their sets under way: read, gate, match, decode ahead.

Runs in a thread ahead of the consumer; all that it remembers (calibration, sync) is its own, so
that what comes out depends on the bag alone.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.steps import Arrival, Step, cut, form
from alpamayo_ros.replay.topics import Source
from alpamayo_ros.sensing.arrivals import Overdue
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.sensing.synchronisation.sync import CameraSync, make_sync, required_cameras
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet
from alpamayo_ros.sensing.view_pipeline import Pending, ViewPipeline
from alpamayo_ros.units import NS

JUMPS = (Code.CLOCK_BACK, Code.CLOCK_FORWARD)


@dataclass(frozen=True, slots=True)
class Found:
    """One set on its way, or the fault in its place; ``watched``: what the silence watch says."""

    t0_ns: int | None
    pending: Pending | None
    faults: tuple[Fault, ...]
    watched: tuple[Fault, ...]
    jump: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """A message that is no picture, decoded."""

    source: Source
    time_ns: int
    message: Any


@dataclass(frozen=True, slots=True)
class DecodedStep:
    """One step: what it brought, in order; ``refused``: pictures that their header gave away."""

    index: int
    begin_ns: int
    end_ns: int
    found: tuple[Found, ...]
    others: tuple[Other, ...]
    refused: tuple[Fault, ...]


@dataclass(slots=True)
class Intake:
    """``decoded_steps`` is iterated in one thread; ``views.finish`` belongs to the consumer.

    ``black``: cameras that were not recorded and are not waited for.
    """

    profile: ModelProfile
    cameras: Sequence[RigCamera]
    sources: Mapping[str, Source]
    views: ViewPipeline
    limits: Limits
    black: Sequence[str] = ()
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    images: Counter[str] = field(default_factory=Counter)
    messages: int = 0

    def decoded_steps(self, messages: Iterable[BagMessage]) -> Generator[DecodedStep, None, None]:
        """The steps of the bag, in order."""
        sync = make_sync(self.profile, self.cameras, self.limits, self.black)
        overdue = Overdue(sync.watch)
        reference = reference_camera(self.profile, self.cameras, self.sources)
        for step in cut(self._timed(messages), lambda m: self._camera(m) == reference):
            began = time.perf_counter()
            decoded = self._decode(step, sync, overdue)
            self.seconds['sync'] += time.perf_counter() - began
            yield decoded

    def _timed(self, messages: Iterable[BagMessage]) -> Iterator[BagMessage]:
        """The messages, with the time that reading takes."""
        began = time.perf_counter()
        for message in messages:
            self.seconds['read'] += time.perf_counter() - began
            self.messages += 1
            yield message
            began = time.perf_counter()

    def _camera(self, message: BagMessage) -> str:
        source = self.sources[message.topic]
        return source.camera if source.role == 'image' else ''

    def _decode(self, step: Step[BagMessage], sync: CameraSync, overdue: Overdue) -> DecodedStep:
        arrivals: list[Arrival] = []
        others: list[Other] = []
        refused: list[Fault] = []
        for item in step.messages:
            source = self.sources[item.topic]
            if source.role == 'image':
                self.images[source.camera] += 1
                fault = self.views.check(source.camera, item.message)
                refused += [fault] if fault else []
                payload = None if fault else item.message
                stamp_ns = ns(item.message.header.stamp)
                arrivals.append(Arrival(source.camera, stamp_ns, item.time_ns, payload))
            elif source.role == 'info':
                fault = self.views.calibrate(source.camera, item.message)
                refused += [fault] if fault else []
            else:
                others.append(Other(source, item.time_ns, item.message))
        found = [self._found(r, sync, step.end_ns) for r in form(sync, arrivals, step.end_ns)]
        if not any(source.role == 'image' for source in self.sources.values()):
            found = self._blind(others)
        for one in found:
            overdue.answered(one.t0_ns or 0)
        if silence := overdue.faults(step.end_ns):
            overdue.answered(step.end_ns)
            found.append(Found(step.end_ns, None, (), tuple(silence)))
        span = step.index, step.begin_ns, step.end_ns
        return DecodedStep(*span, tuple(found), tuple(others), tuple(refused))

    def _blind(self, others: Sequence[Other]) -> list[Found]:
        """Where no camera was recorded: a t0 a step, the newest odometry, for the baseline."""
        stamps = [ns(o.message.header.stamp) for o in others if o.source.role == 'odometry']
        lost = Fault(Code.SET_INCOMPLETE, 'no picture was recorded')
        return [Found(max(stamps), None, (lost,), ())] if stamps else []

    def _found(self, result: SyncedSet | Fault, sync: CameraSync, now_ns: int) -> Found:
        watched = tuple(sync.watch.faults(now_ns))
        if isinstance(result, Fault):
            t0_ns = result.values.get('t0_ns')
            lost = t0_ns if isinstance(t0_ns, int) else None
            return Found(lost, None, (result,), watched, result.code in JUMPS)
        return Found(result.t0_ns, self.views.submit(result), result.faults, watched)


def reference_camera(
    profile: ModelProfile, cameras: Sequence[RigCamera], sources: Mapping[str, Source]
) -> str:
    """The camera whose pictures end the steps: the sync's own, else the first recorded one."""
    required = required_cameras(profile)
    recorded = [c.name for c in cameras if Source('image', c.name) in sources.values()]
    wanted = [name for name in required if name in recorded] or recorded
    return wanted[0] if wanted else '-'


def ns(stamp: Any) -> int:
    """Nanoseconds of a stamp."""
    return int(stamp.sec) * NS + int(stamp.nanosec)
