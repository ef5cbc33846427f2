"""Camera synchronisation by capture time: a ring a camera and an anchor time.

Pure: ``push`` and ``poll`` take ``now_ns`` and return what became ready.  Payloads are carried by
reference and never looked at.  Why not message_filters: docs/design.md, "Synchronisation".
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.sensing.silence import CameraWatch
from alpamayo_ros.sensing.stamps import ClockWatch, check_stamp
from alpamayo_ros.sensing.synced_set import Frame, Selection, SyncCamera, SyncedSet
from alpamayo_ros.units import MS, NS

RING = 16  # frames kept a camera: half a second at 30 Hz
SET_PERIOD_NS = 100 * MS  # sets of faster cameras are formed at the planning period
WAIT_NS = 50 * MS  # half of it: how long a set waits for its cameras


class CameraSync:
    """Forms sets.  ``counts`` tallies faults by code; ``watch`` knows who is silent."""

    def __init__(self, cameras: Sequence[SyncCamera], limits: Limits) -> None:
        """The first required camera, or else the first, is the one whose capture time is t0."""
        self.cameras, self.limits = tuple(cameras), limits
        self.counts: Counter[str] = Counter()
        self.clock = ClockWatch(limits)
        periods = {camera.name: camera.period_ns for camera in cameras if camera.watched}
        self.watch = CameraWatch(periods, [c.name for c in cameras if c.required], limits)
        self._select = Selection.of(self.cameras, limits)
        self._index = {camera.name: i for i, camera in enumerate(cameras)}
        self._reference = next((i for i, c in enumerate(cameras) if c.required), 0)
        # One that missed three timesteps is not waited for in the fourth.
        self._silent_periods = limits.camera_silence_periods + 0.5
        reference_ns = cameras[self._reference].period_ns
        self._period_ns = max(SET_PERIOD_NS, reference_ns)
        self._spacing_ns = self._period_ns - int(0.4 * reference_ns)
        self.reset()

    def reset(self) -> None:
        """Forget every frame, as after a clock jump; the tallies stay."""
        self._rings: list[deque[Frame]] = [deque(maxlen=RING) for _ in self.cameras]
        # Oldest frame after the last set, camera by camera.
        self._first: list[int | None] = [None] * len(self.cameras)
        self._was_fresh = [False] * len(self.cameras)
        self._newest_ns = 0
        self._last_t0: int | None = None
        self._pending_since: int | None = None

    def push(
        self, camera: str, stamp_ns: int, payload: Any, now_ns: int
    ) -> list[SyncedSet | Fault]:
        """Take one frame; returns the sets and faults that it brings about, oldest first."""
        out: list[SyncedSet | Fault] = []
        self._watch_clock(now_ns, out)
        index = self._index[camera]
        ring = self._rings[index]
        newest = ring[-1][0] if ring else None
        fault = check_stamp(camera, stamp_ns, newest, now_ns, self.limits)
        if fault is not None:
            if fault.code is Code.STAMP_LATE and any(stamp_ns == s for s, _ in ring):
                fault = Fault(Code.STAMP_DUP, fault.message, fault.values)
            self._report(fault, out)
            if fault.code is not Code.STAMP_FUTURE_WARN:
                return out
        ring.append((stamp_ns, payload))
        self.watch.seen(camera, stamp_ns, now_ns)
        self._newest_ns = max(self._newest_ns, stamp_ns)
        if self._first[index] is None and self._is_new(stamp_ns):
            self._first[index] = stamp_ns
            if self._pending_since is None and self._begun():
                self._pending_since = now_ns
        self._advance(now_ns, out)
        return out

    def poll(self, now_ns: int) -> list[SyncedSet | Fault]:
        """Let time pass; forms the set whose missing frames were waited for long enough."""
        out: list[SyncedSet | Fault] = []
        self._watch_clock(now_ns, out)
        self._advance(now_ns, out)
        return out

    def _watch_clock(self, now_ns: int, out: list[SyncedSet | Fault]) -> None:
        fault = self.clock.check(now_ns)
        if fault is not None:
            self.reset()
            self.watch.reset(now_ns)
            self._report(fault, out)

    def _report(self, fault: Fault, out: list[SyncedSet | Fault]) -> None:
        self.counts[fault.code.name] += 1
        out.append(fault)

    def _is_new(self, stamp_ns: int) -> bool:
        """Whether a frame belongs to a timestep after the last set."""
        return self._last_t0 is None or stamp_ns > self._last_t0 + self._spacing_ns

    def _advance(self, now_ns: int, out: list[SyncedSet | Fault]) -> None:
        """Form sets until the newest timestep has to wait."""
        while self._pending_since is not None and self._ready(now_ns):
            t0 = self._anchor()
            self._last_t0 = t0
            nearest = [self._select.nearest(i, r, t0) for i, r in enumerate(self._rings)]
            result = self._select.form(t0, nearest, [*self._rings], self._was_fresh)
            self._was_fresh = [frame is not None for frame in nearest]
            if isinstance(result, Fault):
                self._report(result, out)
            else:
                self.counts.update(fault.code.name for fault in result.faults)
                out.append(result)
            fresh = t0 + self._spacing_ns
            self._first = [next((s for s, _ in r if s > fresh), None) for r in self._rings]
            self._pending_since = now_ns if self._begun() else None

    def _begun(self) -> bool:
        """Whether a timestep is under way: the reference or most cameras, not one alone."""
        here = sum(first is not None for first in self._first)
        return self._first[self._reference] is not None or 2 * here > len(self._first)

    def _ready(self, now_ns: int) -> bool:
        """Every living camera has spoken, or was waited for, or the timestep after has begun."""
        assert self._pending_since is not None  # only called while a timestep is pending
        if now_ns - self._pending_since >= WAIT_NS:
            return True
        oldest = min(first for first in self._first if first is not None)
        if self._newest_ns > oldest + self._period_ns * 3 // 4:
            return True
        patience = self._silent_periods * self._period_ns
        streaming = self._last_t0 is not None and oldest - self._last_t0 < patience
        for first, ring, camera in zip(self._first, self._rings, self.cameras, strict=True):
            if first is not None:
                continue
            silent = not ring or oldest - ring[-1][0] > self._silent_periods * camera.period_ns
            if not (streaming and silent):
                return False
        return True

    def _anchor(self) -> int:
        """t0 of the next timestep: the reference's frame, or else the new frame closest to due."""
        new = [first for first in self._first if first is not None]
        reference = self._first[self._reference]
        if reference is not None and reference < min(new) + self._period_ns * 3 // 4:
            return reference
        if self._last_t0 is None:
            return min(new)
        due = self._last_t0 + self._period_ns
        return min(new, key=lambda stamp: (abs(stamp - due), stamp))


def required_cameras(profile: ModelProfile) -> list[str]:
    """Cameras without which there is no set: mandatory, or not to be masked."""
    return [c.name for c in profile.cameras if c.mandatory or not c.maskable]


def make_sync(
    profile: ModelProfile, cameras: Sequence[RigCamera], limits: Limits, black: Sequence[str] = ()
) -> CameraSync:
    """For ``cameras`` in the profile's order; ``black``: known to be missing (evaluation only)."""
    required = required_cameras(profile)
    specs = [
        SyncCamera(
            name=camera.name,
            period_ns=round(NS / camera.rate_hz),
            policy=camera.policy,
            required=camera.name in required,
            watched=camera.name not in black,
        )
        for camera in cameras
    ]
    return CameraSync(specs, limits)
