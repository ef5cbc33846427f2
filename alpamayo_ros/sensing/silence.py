"""Watches over each camera: silence, counted in its own periods, and rate over 100 frames.

An outage that silence has named is not named again as a low rate afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits

RATE_WINDOW = 100  # frames


class CameraWatch:
    """Silence and rate of the cameras of a rig, from the stamps of accepted frames."""

    def __init__(
        self, periods_ns: dict[str, int], required: Sequence[str], limits: Limits
    ) -> None:
        """``required``: cameras that may not be masked."""
        self.limits = limits
        self._periods_ns = dict(periods_ns)
        self._required = frozenset(required)
        self.reset(None)

    def reset(self, now_ns: int | None) -> None:
        """Forget all stamps; silence counts from ``now_ns`` (None: from the first call)."""
        self._stamps = {name: deque[int](maxlen=RATE_WINDOW) for name in self._periods_ns}
        self._outage_ns = dict.fromkeys(self._periods_ns, 0)
        self._arrived_ns: dict[str, int] = {}
        self._start_ns = now_ns

    def seen(self, camera: str, stamp_ns: int, now_ns: int) -> None:
        """Note an accepted frame."""
        if self._start_ns is None:
            self._start_ns = now_ns
        stamps, period_ns = self._stamps[camera], self._periods_ns[camera]
        gap_ns = stamp_ns - self._outage_ns[camera] - stamps[-1] if stamps else 0
        if gap_ns > self.limits.camera_mandatory_periods * period_ns:
            self._outage_ns[camera] += gap_ns - period_ns
        stamps.append(stamp_ns - self._outage_ns[camera])
        self._arrived_ns[camera] = now_ns

    def silent_periods(self, camera: str, now_ns: int) -> float:
        """How long nothing usable has come, in periods of this camera."""
        start = now_ns if self._start_ns is None else self._start_ns
        return (now_ns - self._arrived_ns.get(camera, start)) / self._periods_ns[camera]

    def rate(self, camera: str) -> float:
        """Frames delivered over frames due in the window, outages left out; 1 until it is full."""
        stamps = self._stamps[camera]
        if len(stamps) < RATE_WINDOW:
            return 1.0
        return (len(stamps) - 1) * self._periods_ns[camera] / (stamps[-1] - stamps[0])

    def faults(self, now_ns: int) -> list[Fault]:
        """What is wrong with the cameras now."""
        if self._start_ns is None:
            self._start_ns = now_ns
        silent = {name: self.silent_periods(name, now_ns) for name in self._periods_ns}
        lost = [n for n, p in silent.items() if p >= self.limits.camera_silence_periods]
        out = [fault for n in lost if (fault := self._loss(n, silent[n])) is not None]
        if len(lost) >= 2:
            named: dict[str, float | str] = {'count': float(len(lost)), 'cameras': ', '.join(lost)}
            out.append(Fault(Code.CAMS_LOST, values=named))
        slow = [self._slowness(n) for n in self._periods_ns if n not in lost]
        return [*out, *(fault for fault in slow if fault is not None)]

    def _loss(self, name: str, periods: float) -> Fault | None:
        """A silent camera is masked at once; one that may not be is held for a while longer."""
        code = Code.CAM_LOST
        if name in self._required:
            code = Code.CAM_MANDATORY_LOST
            if periods < self.limits.camera_mandatory_periods:
                return None
        values: dict[str, float | str] = {'camera': name, 'periods': periods}
        return Fault(code, f'{name} silent for {periods:.1f} periods', values)

    def _slowness(self, name: str) -> Fault | None:
        """Rate below its share of nominal."""
        rate = self.rate(name)
        if rate >= self.limits.camera_rate_warn_ratio:
            return None
        code = Code.CAM_RATE if rate < self.limits.camera_rate_ratio else Code.CAM_RATE_WARN
        return Fault(code, f'{name} delivers {rate:.0%}', {'camera': name, 'rate': rate})
