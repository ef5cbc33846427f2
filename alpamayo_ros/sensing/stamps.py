"""Stamp checks of timed input: zero, future, old, duplicate, out of order, clock jumps.

Pure: the caller passes ``now_ns``, the clock's time when the message arrived.
"""

from __future__ import annotations

from dataclasses import dataclass

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits, in_ns


@dataclass(slots=True)
class ClockWatch:
    """Notices when the clock itself jumps; ``check`` is called with every reading of it.

    A forward jump is only seen by a caller that reads the clock oftener than ``clock_forward_s``.
    """

    limits: Limits
    _last_ns: int | None = None

    def check(self, now_ns: int) -> Fault | None:
        """CLOCK_BACK, CLOCK_FORWARD or None."""
        last, self._last_ns = self._last_ns, now_ns
        back_ns, forward_ns = in_ns(self.limits.clock_jitter_s), in_ns(self.limits.clock_forward_s)
        if last is None or -back_ns <= now_ns - last <= forward_ns:
            return None
        code = Code.CLOCK_BACK if now_ns < last else Code.CLOCK_FORWARD
        return Fault(
            code, f'clock went from {last} to {now_ns} ns', {'step_ns': float(now_ns - last)}
        )


def check_stamp(
    source: str, stamp_ns: int, newest_ns: int | None, now_ns: int, limits: Limits
) -> Fault | None:
    """The fault of a stamp, or None; a warning (STAMP_FUTURE_WARN) does not refuse the message.

    ``newest_ns``: stamp of the newest message accepted from this source, None before the first.
    An image older than ``frame_age_s`` could not be planned with and is stale.
    """
    age_ns = now_ns - stamp_ns
    code = None
    if stamp_ns <= 0 or age_ns < -in_ns(limits.stamp_future_s):
        code = Code.STAMP_INVALID
    elif newest_ns is not None and stamp_ns == newest_ns:
        code = Code.STAMP_DUP
    elif age_ns > in_ns(limits.frame_age_s):
        code = Code.CAM_STALE
    elif newest_ns is not None and stamp_ns < newest_ns:
        code = Code.STAMP_LATE
    elif age_ns < -in_ns(limits.stamp_future_warn_s):
        code = Code.STAMP_FUTURE_WARN
    if code is None:
        return None
    values: dict[str, float | str] = {'source': source, 'stamp_ns': float(stamp_ns)}
    values['age_ns'] = float(age_ns)
    how = f'{age_ns / 1e6:.1f} ms old' if age_ns >= 0 else f'{-age_ns / 1e6:.1f} ms ahead of now'
    return Fault(code, f'{source}: stamp {stamp_ns} ns is {how}', values)
