"""Camera synchronisation by capture time: a ring a camera and an anchor time.

Pure: ``push`` and ``poll`` take ``now_ns`` and return what became ready.  Payloads are carried by
reference and never looked at.  Why not message_filters: FIELD_NOTES section 2.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.silence import CameraWatch
from alpamayo_ros.sensing.stamps import ClockWatch, check_stamp
from alpamayo_ros.sensing.synced import SyncCamera, SyncedSet, SyncLimits, skew_fault

RING = 16  # frames kept a camera: half a second at 30 Hz
SILENT_PERIODS = 3.5  # a camera that missed three timesteps is not waited for in the fourth
Frame = tuple[int, Any]  # stamp_ns, payload


__all__ = ['CameraSync', 'SyncCamera', 'SyncLimits', 'SyncedSet']


class CameraSync:
    """Forms sets.  ``counts`` tallies faults by code; ``watch`` knows who is silent."""

    def __init__(self, cameras: Sequence[SyncCamera], limits: SyncLimits | None = None) -> None:
        """The first required camera, or else the first, is the one whose capture time is t0."""
        self.cameras = tuple(cameras)
        self.limits = limits or SyncLimits()
        self.counts: Counter[str] = Counter()
        self.clock = ClockWatch(self.limits.stamps)
        periods = {camera.name: camera.period_ns for camera in cameras if camera.watched}
        self.watch = CameraWatch(periods, [c.name for c in cameras if c.required])
        self._index = {camera.name: i for i, camera in enumerate(cameras)}
        self._reference = next((i for i, c in enumerate(cameras) if c.required), 0)
        self._slop_ns = [min(self.limits.skew_ns, c.period_ns // 2) for c in cameras]
        reference_ns = cameras[self._reference].period_ns
        self._period_ns = max(self.limits.set_period_ns, reference_ns)
        self._spacing_ns = self._period_ns - int(0.4 * reference_ns)
        self.reset()

    def reset(self) -> None:
        """Forget every frame, as after a clock jump; the tallies stay."""
        self._rings: list[deque[Frame]] = [deque(maxlen=RING) for _ in self.cameras]
        self._first: list[int | None] = [None] * len(
            self.cameras
        )  # oldest frame after the last set
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
        fault = check_stamp(camera, stamp_ns, newest, now_ns, self.limits.stamps)
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
            nearest = [self._nearest(i, t0) for i in range(len(self.cameras))]
            result = self._form(t0, nearest)
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
        if now_ns - self._pending_since >= self.limits.wait_ns:
            return True
        oldest = min(first for first in self._first if first is not None)
        if self._newest_ns > oldest + self._period_ns * 3 // 4:
            return True
        patience = SILENT_PERIODS * self._period_ns
        streaming = self._last_t0 is not None and oldest - self._last_t0 < patience
        for first, ring, camera in zip(self._first, self._rings, self.cameras, strict=True):
            if first is not None:
                continue
            silent = not ring or oldest - ring[-1][0] > SILENT_PERIODS * camera.period_ns
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

    def _nearest(self, camera: int, t0: int) -> Frame | None:
        """The camera's frame closest to t0 within its slop; ties take the older."""
        best, distance = None, self._slop_ns[camera] + 1
        for frame in self._rings[camera]:
            away = abs(frame[0] - t0)
            if away < distance:
                best, distance = frame, away
        return best

    def _form(self, t0: int, nearest: list[Frame | None]) -> SyncedSet | Fault:
        """The set at t0, or why there is none."""
        fresh = [frame[0] for frame in nearest if frame is not None]
        skew = max(fresh) - min(fresh)
        if skew > self.limits.skew_ns:
            return skew_fault(Code.SKEW, t0, skew, self.limits.skew_ns)
        frames: list[Frame | None] = []
        held: list[bool] = []
        for i, frame in enumerate(nearest):
            if frame is None:
                late = self._beside(i, t0)
                if late is not None:
                    return skew_fault(
                        Code.SKEW, t0, late, self.limits.skew_ns, self.cameras[i].name
                    )
                replacement = self._replace(i, t0)
                if isinstance(replacement, Fault):
                    return replacement
                frames.append(replacement)
                held.append(replacement is not None)
            else:
                frames.append(frame)
                held.append(False)
        warn = skew > self.limits.skew_warn_ns
        faults = (skew_fault(Code.SKEW_WARN, t0, skew, self.limits.skew_warn_ns),) if warn else ()
        return SyncedSet(
            t0,
            tuple(t0 if frame is None else frame[0] for frame in frames),
            tuple(None if frame is None else frame[1] for frame in frames),
            tuple(frame is not None for frame in frames),
            tuple(held),
            skew,
            faults,
        )

    def _beside(self, camera: int, t0: int) -> int | None:
        """Distance to a frame between two timesteps, the second time in a row: skew, not loss."""
        if self._was_fresh[camera]:
            return None
        limit = self.cameras[camera].period_ns * 3 // 4
        away = [abs(stamp - t0) for stamp, _ in self._rings[camera]]
        return min((d for d in away if self.limits.skew_ns < d < limit), default=None)

    def _replace(self, camera: int, t0: int) -> Frame | None | Fault:
        """What the policy puts for a missing frame: an older one, None (masked) or a fault."""
        spec = self.cameras[camera]
        older = max(
            (f for f in self._rings[camera] if f[0] <= t0), key=lambda f: f[0], default=None
        )
        periods = self.limits.hold_required_periods if spec.required else self.limits.hold_periods
        fits = older is not None and t0 - older[0] <= periods * spec.period_ns
        if spec.policy == 'hold' and fits:
            return older
        if spec.policy == 'reject' or spec.required:
            age = float('inf') if older is None else (t0 - older[0]) / 1e6
            return Fault(
                Code.SET_INCOMPLETE,
                f'no frame of {spec.name} at {t0} ns; its newest is {age:.0f} ms older',
                {'camera': spec.name, 't0_ns': t0},
            )
        return None
