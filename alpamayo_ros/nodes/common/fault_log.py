"""The log of a node's faults: each is a line when it comes and a line when it goes."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rclpy.node import Node

from alpamayo_ros.faults import Code, Fault, Severity

LOG_HOLD_S = 0.5  # docs/faults.md, "States": at most 2 lines a second for one fault


class FaultLog:
    """Logs each fault when it comes and when it goes, never in between, as loud as it is."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._active: dict[str, str] = {}
        self._logged_s: dict[str, float] = {}

    def update(self, faults: Mapping[str, str], waiting: bool = False) -> None:
        """Take the faults that hold now, code to text; log the difference to the last call.

        ``waiting``: nothing is driven yet, so that a missing input is no alarm.
        """
        for code, message in faults.items():
            if code not in self._active and self._due(code):
                self._log(Severity.INFO.name if waiting else Code[code].severity.name, message)
        for code in self._active:
            if code not in faults and self._due(code + ' cleared'):
                self._node.get_logger().info(f'{code} cleared')
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
        if self._due(fault.code.name):
            self._log(fault.code.severity.name, str(fault))

    def _due(self, key: str) -> bool:
        now = time.monotonic()
        if now - self._logged_s.get(key, -LOG_HOLD_S) < LOG_HOLD_S:
            return False
        self._logged_s[key] = now
        return True
