"""Joining inputs by stamp: never 'latest', never a queue.  Pure, no ROS."""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.units import NS

KEPT = 16  # unmatched messages kept a topic; 1.6 s at 10 Hz


@dataclass
class Cycle:
    """One t0 the planner takes up.  Times in seconds of the monotonic clock."""

    t0_ns: int
    frames: Any
    history: Any
    started_s: float
    submitted_s: float = 0.0
    navigation: str = ''
    prompt: str = ''
    frame_age_s: float = 0.0
    faults: list[Any] = field(default_factory=list)


class Joiner:
    """Frame sets and histories of equal t0.

    ``keep_all``: oldest first (lockstep); else the newest, others skipped.
    """

    def __init__(self, keep_all: bool) -> None:
        self._keep_all = keep_all
        self._frames: dict[int, Any] = {}
        self._histories: dict[int, Any] = {}
        self._last_ns = -1
        self.skipped = 0

    def add_frames(self, t0_ns: int, message: Any) -> None:
        """A frame set; a stamp older than the newest by more than the kept span is forgotten."""
        self._add(self._frames, t0_ns, message)

    def add_history(self, t0_ns: int, message: Any) -> None:
        """An ego history."""
        self._add(self._histories, t0_ns, message)

    def take(self, now_s: float) -> Cycle | None:
        """The next joined t0 and what was waited for it, or None."""
        both = sorted(self._frames.keys() & self._histories.keys())
        if not both:
            return None
        chosen = both[0] if self._keep_all else both[-1]
        cycle = Cycle(chosen, self._frames[chosen], self._histories[chosen], now_s)
        self.skipped += sum(t0 < chosen for t0 in self._frames)
        for store in (self._frames, self._histories):
            for t0 in [t for t in store if t <= chosen]:
                del store[t0]
        self._last_ns = chosen
        return cycle

    def _add(self, store: dict[int, Any], t0_ns: int, message: Any) -> None:
        if t0_ns < self._last_ns - NS:  # the clock jumped back: start over
            self._frames.clear()
            self._histories.clear()
            self._last_ns = -1
        if t0_ns <= self._last_ns:
            return
        store[t0_ns] = message
        while len(store) > KEPT:
            del store[min(store)]


class StepInstructions:
    """Lockstep: frame sets wait until every instruction of their step is here.

    ``heard``: instructions and prompts that have come.
    """

    def __init__(self) -> None:
        self.waiting: deque[Any] = deque()
        self.heard = 0
        self._step = 0
        self._published = 0

    def done(self, step: int, published: int) -> None:
        """Navigation has taken in ``step`` and has published so many instructions in all."""
        self._step, self._published = step, published

    def knows(self, step: int) -> bool:
        """Whether nothing more is to come for ``step``; step 0 (free-running) never waits."""
        return step == 0 or (self._step >= step and self.heard >= self._published)

    def next(self) -> Any:
        """The oldest frame set of a step that is known, or None."""
        return (
            self.waiting.popleft() if self.waiting and self.knows(self.waiting[0].step) else None
        )


class Turns:
    """Lockstep: the timesteps in the order in which they were announced, each with its step."""

    def __init__(self) -> None:
        self._step_of: dict[int, int] = {}

    def add(self, t0_ns: int, step: int) -> None:
        """A timestep that will be answered."""
        self._step_of[t0_ns] = step

    def next(self, answered: Container[int], taken: int) -> int | None:
        """The timestep whose turn it is, if it is among ``answered`` and its step was taken in."""
        t0_ns = next(iter(self._step_of), None)
        if t0_ns is None or t0_ns not in answered or self._step_of[t0_ns] > taken:
            return None
        del self._step_of[t0_ns]
        return t0_ns
