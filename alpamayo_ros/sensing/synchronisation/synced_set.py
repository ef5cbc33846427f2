"""One timestep of the cameras: which frames belong to it, and what stands for those that lack.

Payloads are carried by reference and never looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits, in_ns

HOLD_PERIODS = 1.5  # a camera that may be masked is masked after one period
Frame = tuple[int, Any]  # stamp_ns, payload
Ring = Collection[Frame]  # frames of one camera, oldest first


@dataclass(frozen=True, slots=True)
class SyncCamera:
    """How one camera takes part.  ``required``: no set without it (mandatory, or not maskable).

    ``watched`` False: known not to be there, so that its silence is no fault (evaluation only).
    """

    name: str
    period_ns: int
    policy: Literal['hold', 'mask', 'reject'] = 'hold'
    required: bool = False
    watched: bool = True


@dataclass(frozen=True, slots=True)
class SyncedSet:
    """One timestep, camera by camera in the configured order.

    ``stamps_ns`` is the true capture time (t0 where there is none), ``held`` marks a frame of an
    earlier timestep, ``skew_ns`` is the spread of the frames that are not held.  A lost one is
    a Fault whose value ``t0_ns`` is exact, an int.
    """

    t0_ns: int
    stamps_ns: tuple[int, ...]
    payloads: tuple[Any, ...]
    valid: tuple[bool, ...]
    held: tuple[bool, ...]
    skew_ns: int
    faults: tuple[Fault, ...] = ()

    @property
    def largest_skew_ns(self) -> int:
        """The longest time between t0 and a frame of the set, held ones included."""
        return max(abs(stamp - self.t0_ns) for stamp in self.stamps_ns)


@dataclass(frozen=True, slots=True)
class Selection:
    """What one timestep's set is made of, by the limits of skew and silence.

    ``hold_periods``: how old a held frame of a required camera may be; it is held until the camera
    counts as silent.  ``locked``: the cameras are triggered together, so that frames too far apart
    are SKEW; where their rates do not divide the set's, phases drift and the policy decides.
    """

    cameras: tuple[SyncCamera, ...]
    skew_warn_ns: int
    skew_ns: int
    hold_periods: float
    locked: bool = True

    @classmethod
    def of(cls, cameras: tuple[SyncCamera, ...], limits: Limits, locked: bool) -> Selection:
        """With the limits of the file."""
        hold_periods = limits.camera_silence_periods - 0.5
        warn_ns, skew_ns = in_ns(limits.skew_warn_s), in_ns(limits.skew_s)
        return cls(cameras, warn_ns, skew_ns, hold_periods, locked)

    def nearest(self, camera: int, ring: Ring, t0_ns: int) -> Frame | None:
        """The frame closest to t0 within half a period and the limit; ties take the older."""
        best, distance = None, min(self.skew_ns, self.cameras[camera].period_ns // 2) + 1
        for frame in ring:
            away = abs(frame[0] - t0_ns)
            if away < distance:
                best, distance = frame, away
        return best

    def form(
        self, t0_ns: int, nearest: list[Frame | None], rings: list[Ring], was_fresh: list[bool]
    ) -> SyncedSet | Fault:
        """The set at t0, or why there is none; ``was_fresh``: cameras in time the set before."""
        if not self.locked:
            nearest = self._together(t0_ns, nearest)
        stamps = [frame[0] for frame in nearest if frame is not None]
        skew = max(stamps) - min(stamps)
        if skew > self.skew_ns:
            return _skew_fault(Code.SKEW, t0_ns, skew, self.skew_ns)
        frames = list(nearest)
        for i, frame in enumerate(nearest):
            if frame is not None:
                continue
            sought = self.locked and not was_fresh[i]
            beside = self._beside(i, rings[i], t0_ns) if sought else None
            if beside is not None:
                name = self.cameras[i].name
                return _skew_fault(Code.SKEW, t0_ns, beside, self.skew_ns, name)
            replacement = self._replace(i, rings[i], t0_ns)
            if isinstance(replacement, Fault):
                return replacement
            frames[i] = replacement
        return self._set(t0_ns, frames, nearest, skew)

    def _together(self, t0_ns: int, nearest: list[Frame | None]) -> list[Frame | None]:
        """Without those that the limit of skew leaves no room for, the closest to t0 first."""
        first, last, kept = t0_ns, t0_ns, list(nearest)
        stamps = [(abs(f[0] - t0_ns), f[0], i) for i, f in enumerate(nearest) if f is not None]
        for _, stamp, i in sorted(stamps):
            if max(last, stamp) - min(first, stamp) > self.skew_ns:
                kept[i] = None
            else:
                first, last = min(first, stamp), max(last, stamp)
        return kept

    def _set(
        self, t0_ns: int, frames: list[Frame | None], nearest: list[Frame | None], skew_ns: int
    ) -> SyncedSet:
        pairs = zip(frames, nearest, strict=True)
        warned = skew_ns > self.skew_warn_ns
        warning = _skew_fault(Code.SKEW_WARN, t0_ns, skew_ns, self.skew_warn_ns)
        return SyncedSet(
            t0_ns,
            tuple(t0_ns if frame is None else frame[0] for frame in frames),
            tuple(None if frame is None else frame[1] for frame in frames),
            tuple(frame is not None for frame in frames),
            tuple(frame is not None and fresh is None for frame, fresh in pairs),
            skew_ns,
            (warning,) if warned else (),
        )

    def _beside(self, camera: int, ring: Ring, t0_ns: int) -> int | None:
        """Distance to a frame between two timesteps, the second time in a row: skew, not loss."""
        limit = self.cameras[camera].period_ns * 3 // 4
        away = [abs(stamp - t0_ns) for stamp, _ in ring]
        return min((d for d in away if self.skew_ns < d < limit), default=None)

    def _replace(self, camera: int, ring: Ring, t0_ns: int) -> Frame | None | Fault:
        """What the policy puts for a missing frame: an older one, None (masked) or a fault."""
        spec = self.cameras[camera]
        older = max((f for f in ring if f[0] <= t0_ns), key=lambda f: f[0], default=None)
        periods = self.hold_periods if spec.required else HOLD_PERIODS
        fits = older is not None and t0_ns - older[0] <= periods * spec.period_ns
        if spec.policy == 'hold' and fits:
            return older
        if spec.policy == 'reject' or spec.required:
            age = float('inf') if older is None else (t0_ns - older[0]) / 1e6
            return Fault(
                Code.SET_INCOMPLETE,
                f'no frame of {spec.name} at {t0_ns} ns; its newest is {age:.0f} ms older',
                {'camera': spec.name, 't0_ns': t0_ns},
            )
        return None


def _skew_fault(code: Code, t0_ns: int, skew_ns: int, limit_ns: int, camera: str = '') -> Fault:
    """SKEW or SKEW_WARN of the timestep at ``t0_ns``."""
    values: dict[str, float | str] = {'skew_ns': float(skew_ns), 'limit_ns': float(limit_ns)}
    values |= {'t0_ns': t0_ns} | ({'camera': camera} if camera else {})
    return Fault(code, f'{camera or "cameras"} {skew_ns / 1e6:.1f} ms apart at {t0_ns} ns', values)
