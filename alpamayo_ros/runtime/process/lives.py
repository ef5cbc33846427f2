"""How often a model's process may die, and how long after a death the next one starts."""

from __future__ import annotations

from collections import deque

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits

PAUSES_S = (0.0, 0.5, 1.0, 2.0)  # after the first death of a window, the second, ...


class Lives:
    """The deaths of one worker's processes within the last ``respawn_window_s``."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._deaths: deque[float] = deque()

    def end(self, now_s: float, reason: Fault | None) -> float | Fault:
        """A death for ``reason``: the pause [s] before the next life, or why there is none."""
        window_s = self._limits.respawn_window_s
        self._deaths.append(now_s)
        while self._deaths[0] < now_s - window_s:
            self._deaths.popleft()
        count = len(self._deaths)
        if count >= self._limits.model_respawns:
            numbers = {'deaths': float(count), 'window_s': window_s}
            return Fault(Code.MODEL_RESPAWNS, str(reason or ''), numbers)
        return PAUSES_S[min(count, len(PAUSES_S)) - 1]
