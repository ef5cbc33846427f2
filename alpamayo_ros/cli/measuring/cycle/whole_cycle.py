"""Whole cycles of a drive: the fast runtime beside the naive one, and with one saving less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.cli.measuring.cycle.parts import Parts
from alpamayo_ros.cli.measuring.cycle.timing import Spent, take_turns
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.runtime.staged import StagedRuntime

SAME_M = 1e-3  # waypoints of the naive path: other shapes of the same products round differently


@dataclass(slots=True)
class Cycle:
    """Runs recorded cycles on one runtime and keeps how far its plans are from the drive's."""

    runtime: StagedRuntime
    other_words: int = 0
    apart_m: float = 0.0

    def __call__(self, recorded: Recorded) -> None:
        """Encode, reason, denoise."""
        features = self.runtime.encode(recorded.frames)
        reasoning = self.runtime.reason(features, recorded.given)
        plans = self.runtime.denoise(reasoning.condition, recorded.noise)
        if reasoning.token_ids != recorded.words:
            self.other_words += 1
            return
        apart = float(np.abs(plans - recorded.plans).max())
        self.apart_m = max(self.apart_m, apart)

    @property
    def same(self) -> bool:
        """Whether words and plans were those of the drive."""
        return not self.other_words and self.apart_m <= SAME_M


@dataclass(frozen=True, slots=True)
class WholeCycles:
    """``fast``, ``naive`` and the runtimes with one saving less, by name."""

    spent: dict[str, Spent]
    cycles: dict[str, Cycle]


def time_cycles(
    parts: Parts, recorded: Sequence[Recorded], each: Callable[[], None] = lambda: None
) -> WholeCycles:
    """All runtimes take turns on the cycles of a drive, in its order."""
    runtimes = {'fast': parts.fast(), 'naive': parts.naive(), **parts.with_one_less()}
    cycles = {name: Cycle(runtime) for name, runtime in runtimes.items()}
    for cycle in cycles.values():
        cycle(recorded[0])
    spent = take_turns(recorded[1:], cycles, each)
    return WholeCycles(spent, cycles)


def time_stages(runtime: StagedRuntime, recorded: Sequence[Recorded]) -> dict[str, Spent]:
    """The three stages, cycle after cycle as a drive asks for them."""
    stages = _Stages(runtime)
    calls = {'encode': stages.encode, 'reason': stages.reason, 'denoise': stages.denoise}
    found = {name: Spent([], []) for name in calls}
    for index, one in enumerate(recorded):
        for name, call in calls.items():
            turn = take_turns([one], {name: call})[name]
            if index:
                found[name].cpu_ms.extend(turn.cpu_ms)
                found[name].wall_ms.extend(turn.wall_ms)
    return found


class _Stages:
    """Each stage on what the one before gave."""

    def __init__(self, runtime: StagedRuntime) -> None:
        self._runtime = runtime

    def encode(self, recorded: Recorded) -> None:
        """Features of the newest timestep; the others are known."""
        self._features = self._runtime.encode(recorded.frames)

    def reason(self, recorded: Recorded) -> None:
        """Fusion and words."""
        self._said = self._runtime.reason(self._features, recorded.given)

    def denoise(self, recorded: Recorded) -> None:
        """Eight candidates."""
        self._runtime.denoise(self._said.condition, recorded.noise)
