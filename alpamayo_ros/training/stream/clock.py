"""The time of a run: seconds that are used, what is kept for the end, the learning rate."""

from __future__ import annotations

import math
import time

from alpamayo_ros.training.stream.settings import Settings

LEAST_END_S = 3.0  # for stopping the children, besides publishing
LAST_RATE = 0.02


class Clock:
    """``used_s``: seconds of earlier calls; ``began``: ``time.monotonic`` of this call."""

    def __init__(self, settings: Settings, used_s: float, began: float, peak: float) -> None:
        self._settings, self._used, self._began, self._peak = settings, used_s, began, peak
        self._longest: dict[str, float] = {}

    @property
    def used_s(self) -> float:
        """Seconds of the run so far, earlier calls included."""
        return self._used + time.monotonic() - self._began

    @property
    def left_s(self) -> float:
        """Seconds until the run has to be over."""
        return self._settings.seconds - self.used_s

    def took(self, what: str, seconds: float) -> None:
        """Remember how long something takes at worst."""
        self._longest[what] = max(seconds, self._longest.get(what, 0.0))

    @property
    def end_s(self) -> float:
        """Seconds that the end needs: a step, publishing with room to spare, stopping."""
        longest = self._longest
        return (
            LEAST_END_S
            + longest.get('step', 0.0)
            + longest.get('save', 0.0)
            + 1.5 * longest.get('publish', 0.0)
        )

    @property
    def over(self) -> bool:
        """Whether the end has to begin now."""
        return self.left_s <= self.end_s

    @property
    def fraction(self) -> float:
        """Share of the time for training that is used, 0 to 1."""
        return min(self.used_s / max(self._settings.seconds - self.end_s, 1e-9), 1.0)

    def rate(self, step: int) -> float:
        """Warm-up, then constant, then a cosine down to 2 % of the peak."""
        constant = self._settings.constant
        late = min(max(0.0, self.fraction - constant) / max(1.0 - constant, 1e-9), 1.0)
        warm = min(1.0, step / self._settings.warm_up_steps)
        cosine = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * late))
        return self._peak * warm * cosine
