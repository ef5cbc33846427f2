"""The log of a node's faults: a line when one comes and one when it goes, at most 2 a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from alpamayo_ros.faults import Code, Fault, Severity

# docs/faults.md, "States": from one line to the next of its kind, for one code
HOLD_S = 1.0  # it comes; it goes
EVENT_HOLD_S = 0.5  # it happened


class FaultLog:
    """Logs each fault when it comes and when it goes, never in between, as loud as it is.

    A line that would come too soon after the one before is left out, or said later where it is
    still true then.
    """

    def __init__(self, node: Any, now_s: Callable[[], float] = time.monotonic) -> None:
        self._node, self._now_s = node, now_s
        self._active: dict[str, str] = {}
        self._said: dict[str, str] = {}  # those whose last line says that they hold
        self._logged_s: dict[str, float] = {}

    def update(self, faults: Mapping[str, str], waiting: bool = False) -> None:
        """Take the faults that hold now, code to text; log the difference to what was said.

        ``waiting``: nothing is driven yet, so that a missing input is no alarm.
        """
        for code, message in faults.items():
            if code not in self._said and self._due(code):
                self._log(Severity.INFO.name if waiting else Code[code].severity.name, message)
                self._said[code] = message
        for code in [code for code in self._said if code not in faults]:
            if self._due(f'{code} cleared'):
                self._node.get_logger().info(f'{code} cleared')
                del self._said[code]
        self._active = dict(faults)

    def _log(self, level: str, message: str) -> None:
        """One call for each level: rclpy remembers the level of a line of code."""
        log = self._node.get_logger()
        if level == Severity.INFO.name:
            log.info(message)
        elif level == Severity.WARN.name:
            log.warning(message)
        elif level == Severity.ERROR.name:
            log.error(message)
        else:
            log.fatal(message)

    @property
    def active(self) -> dict[str, str]:
        """Faults of the last update, code to message."""
        return dict(self._active)

    def event(self, fault: Fault) -> None:
        """Log what happens and is over at once."""
        if self._due(fault.code.name, EVENT_HOLD_S):
            self._log(fault.code.severity.name, str(fault))

    def _due(self, key: str, hold_s: float = HOLD_S) -> bool:
        now_s = self._now_s()
        if now_s - self._logged_s.get(key, -hold_s) < hold_s:
            return False
        self._logged_s[key] = now_s
        return True
