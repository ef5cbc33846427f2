"""Watches over each camera: silence, counted in its own periods, and rate over 100 frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.faults import Code, Fault


@dataclass(frozen=True, slots=True)
class SilenceLimits:
    """Limits of FAULTS.md section 1 (camera silence, camera rate).

    ``rate_warn`` is 0.8 where the table says 0.9: over 100 frames a tolerated random loss of 10 %
    scatters by 3 % and would flap at 0.9, while a loss of 30 % stays below 0.8 (row F05).
    """

    mask_periods: float = 3.0
    required_periods: float = 5.0
    rate_warn: float = 0.8
    rate_reject: float = 0.5
    rate_window: int = 100


class CameraWatch:
    """Silence and rate of the cameras of a rig, from the stamps of accepted frames."""

    def __init__(
        self,
        periods_ns: dict[str, int],
        required: Sequence[str],
        limits: SilenceLimits | None = None,
    ) -> None:
        """``required``: cameras that may not be masked."""
        self.limits = limits or SilenceLimits()
        self._periods_ns = dict(periods_ns)
        self._required = frozenset(required)
        self.reset(None)

    def reset(self, now_ns: int | None) -> None:
        """Forget all stamps; silence counts from ``now_ns`` (None: from the first call)."""
        window = self.limits.rate_window
        self._stamps = {name: deque[int](maxlen=window) for name in self._periods_ns}
        self._arrived_ns: dict[str, int] = {}
        self._start_ns = now_ns

    def seen(self, camera: str, stamp_ns: int, now_ns: int) -> None:
        """Note an accepted frame."""
        if self._start_ns is None:
            self._start_ns = now_ns
        self._stamps[camera].append(stamp_ns)
        self._arrived_ns[camera] = now_ns

    def silent_periods(self, camera: str, now_ns: int) -> float:
        """How long nothing usable has come, in periods of this camera."""
        start = now_ns if self._start_ns is None else self._start_ns
        return (now_ns - self._arrived_ns.get(camera, start)) / self._periods_ns[camera]

    def rate(self, camera: str) -> float:
        """Frames delivered over frames due in the window; 1 until the window is full."""
        stamps = self._stamps[camera]
        if len(stamps) < self.limits.rate_window:
            return 1.0
        return (len(stamps) - 1) * self._periods_ns[camera] / (stamps[-1] - stamps[0])

    def faults(self, now_ns: int) -> list[Fault]:
        """What is wrong with the cameras now."""
        if self._start_ns is None:
            self._start_ns = now_ns
        out: list[Fault] = []
        lost = [
            n
            for n in self._periods_ns
            if self.silent_periods(n, now_ns) >= self.limits.mask_periods
        ]
        for name in lost:
            periods = self.silent_periods(name, now_ns)
            values: dict[str, float | str] = {'camera': name, 'periods': periods}
            if name not in self._required:
                out.append(
                    Fault(Code.CAM_LOST, f'{name} silent for {periods:.1f} periods', values)
                )
            elif periods >= self.limits.required_periods:
                message = f'{name} silent for {periods:.1f} periods'
                out.append(Fault(Code.CAM_MANDATORY_LOST, message, values))
        if len(lost) >= 2:
            out.append(
                Fault(Code.CAMS_LOST, f'silent: {", ".join(lost)}', {'count': float(len(lost))})
            )
        for name in self._periods_ns:
            rate = self.rate(name)
            if name not in lost and rate < self.limits.rate_warn:
                code = Code.CAM_RATE if rate < self.limits.rate_reject else Code.CAM_RATE_WARN
                out.append(
                    Fault(code, f'{name} delivers {rate:.0%}', {'camera': name, 'rate': rate})
                )
        return out
