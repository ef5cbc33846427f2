"""When the driver may be armed by Autoware, and what to ask of it.  Pure.

Three words have to agree: the operation mode is AUTONOMOUS, Autoware controls the vehicle, and
the vehicle itself reports AUTONOMOUS.  The report is sent all the time, so its silence counts as
no.  Each time that the three begin to agree the driver is armed once: somebody who disarms it
afterwards is not overruled.
"""

from __future__ import annotations

from dataclasses import dataclass

from alpamayo_ros.units import NS

AUTONOMOUS_MODE = 2  # OperationModeState.AUTONOMOUS
AUTONOMOUS_REPORT = 1  # ControlModeReport.AUTONOMOUS
ARM, DISARM = 'arm', 'disarm'


@dataclass(slots=True)
class Permission:
    """``silence_s``: a report of the vehicle that is older says nothing.

    ``blocked``: why it may not be armed whatever Autoware says; '' where nothing is in the way.
    """

    silence_s: float
    blocked: str = ''
    _mode: int | None = None
    _enabled: bool = False
    _report: int | None = None
    _reported_ns: int = 0
    _armed: bool | None = None
    _given: bool = False

    def on_operation_mode(self, mode: int, enabled: bool) -> None:
        """OperationModeState: ``mode`` and ``is_autoware_control_enabled``."""
        self._mode, self._enabled = mode, enabled

    def on_control_mode(self, mode: int, now_ns: int) -> None:
        """ControlModeReport.mode, at the node's time."""
        self._report, self._reported_ns = mode, now_ns

    def on_health(self, armed: bool) -> None:
        """What the driver says of itself."""
        self._armed = armed

    def refusal(self, now_ns: int) -> str:
        """Why the driver may not be armed; '' where it may."""
        if self._mode != AUTONOMOUS_MODE:
            return f'the operation mode is {self._mode}, not AUTONOMOUS'
        if not self._enabled:
            return 'Autoware does not control the vehicle'
        if self._report is None or not 0 <= now_ns - self._reported_ns <= self.silence_s * NS:
            return f'the vehicle has not reported its control mode for {self.silence_s:g} s'
        if self._report != AUTONOMOUS_REPORT:
            return f'the vehicle reports control mode {self._report}, not AUTONOMOUS'
        return self.blocked

    def wish(self, now_ns: int) -> str:
        """What to ask of the driver now: ``arm``, ``disarm`` or nothing."""
        if self.refusal(now_ns):
            self._given = False
            return DISARM if self._armed else ''
        self._given |= bool(self._armed)
        return ARM if self._armed is False and not self._given else ''
