"""Camera synchronisation by capture time: a ring a camera, and when the next set is due.

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
from alpamayo_ros.sensing.synchronisation.beat import Beat
from alpamayo_ros.sensing.synchronisation.synced_set import Frame, Selection, SyncCamera, SyncedSet
from alpamayo_ros.units import MS, NS

RING = 16  # frames kept a camera: half a second at 30 Hz
SET_PERIOD_NS = 100 * MS  # sets of faster cameras are formed about this often
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
        self._index = {camera.name: i for i, camera in enumerate(cameras)}
        self._reference = next((i for i, c in enumerate(cameras) if c.required), 0)
        self._beat = Beat(self.cameras, self._reference, SET_PERIOD_NS)
        self._select = Selection.of(self.cameras, limits, self._beat.locked)
        # One that missed three timesteps is not waited for in the fourth.
        self._silent_periods = limits.camera_silence_periods + 0.5
        self.reset()

    @property
    def period_ns(self) -> int:
        """Time between two sets while every camera delivers."""
        return self._beat.period_ns

    def reset(self) -> None:
        """Forget every frame, as after a clock jump; the tallies stay."""
        self._rings: list[deque[Frame]] = [deque(maxlen=RING) for _ in self.cameras]
        self._beat.reset()
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
        ring = self._rings[self._index[camera]]
        newest = ring[-1][0] if ring else None
        fault = check_stamp(camera, stamp_ns, newest, now_ns, self.limits)
        if fault is not None:
            if fault.code is Code.STAMP_LATE and any(stamp_ns == s for s, _ in ring):
                fault = Fault(Code.STAMP_DUP, fault.message, fault.values)
            self._report(fault, out)
            if fault.code is not Code.STAMP_FUTURE_WARN:
                return out
        ring.append((stamp_ns, payload))
        if self.cameras[self._index[camera]].watched:
            self.watch.seen(camera, stamp_ns, now_ns)
        self._newest_ns = max(self._newest_ns, stamp_ns)
        if self._pending_since is None and self._begun():
            self._pending_since = now_ns
            if self._beat.passed(self._newest_ns):
                self._beat.skip(self._rings)  # a gap is over: its first set waits for the others
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

    def _advance(self, now_ns: int, out: list[SyncedSet | Fault]) -> None:
        """Form sets until the newest timestep has to wait."""
        while self._pending_since is not None and self._ready(now_ns):
            if self._beat.begin(self._rings):
                continue  # when the timestep is due is known only now
            t0 = self._beat.anchor(self._rings, self._last_t0)
            if t0 is not None:
                self._form(t0, out)
            self._beat.step(self._rings)
            self._pending_since = now_ns if self._begun() else None

    def _form(self, t0: int, out: list[SyncedSet | Fault]) -> None:
        """The set at ``t0``, or why there is none."""
        self._last_t0 = t0
        nearest = [self._select.nearest(i, r, t0) for i, r in enumerate(self._rings)]
        result = self._select.form(t0, nearest, [*self._rings], self._was_fresh)
        self._was_fresh = [frame is not None for frame in nearest]
        if isinstance(result, Fault):
            self._report(result, out)
        else:
            self.counts.update(fault.code.name for fault in result.faults)
            out.append(result)

    def _begun(self) -> bool:
        """Whether a timestep is under way: the reference or most cameras, not one alone."""
        here = self._beat.here(self._rings)
        return here[self._reference] or 2 * sum(here) > len(here)

    def _ready(self, now_ns: int) -> bool:
        """Every living camera has spoken, or was waited for, or the timestep after has begun.

        A silent camera that is required is waited for: without it there would be no set.
        """
        assert self._pending_since is not None  # only called while a timestep is pending
        if now_ns - self._pending_since >= WAIT_NS or self._beat.passed(self._newest_ns):
            return True
        patience = self._silent_periods * self._beat.period_ns
        streaming = self._last_t0 is not None and self._newest_ns - self._last_t0 < patience
        here = self._beat.here(self._rings)
        for spoke, ring, camera in zip(here, self._rings, self.cameras, strict=True):
            longest_ns = self._silent_periods * camera.period_ns
            silent = not ring or self._newest_ns - ring[-1][0] > longest_ns
            if not spoke and (camera.required or not (streaming and silent)):
                return False
        return True


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
