"""CPU and wall time of every stage of a runtime, on frames that change as a drive's do."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT


@dataclass(frozen=True, slots=True)
class Instant:
    """Seconds of this process's CPU, and of the clock."""

    cpu_s: float
    wall_s: float

    @classmethod
    def now(cls) -> Instant:
        """This one."""
        return cls(time.process_time(), time.perf_counter())


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds between two instants; a GPU costs wall time alone."""

    cpu_ms: float
    wall_ms: float

    @classmethod
    def between(cls, begin: Instant, end: Instant) -> Spent:
        """From ``begin`` to ``end``."""
        return cls((end.cpu_s - begin.cpu_s) * 1e3, (end.wall_s - begin.wall_s) * 1e3)


def stage_times(
    runtime: Runtime, profile: ModelProfile, cycles: int = 20
) -> dict[str, list[Spent]]:
    """What ``encode`` (one new timestep), ``reason`` and ``denoise`` took in each cycle.

    Every cycle brings one new timestep and has the previous text as its draft.
    """
    rng = np.random.default_rng(0)
    frames, given, noise = made_up_input(profile)
    given = replace(given, navigation=FOLLOW_TEXT)
    runtime.encode(frames)
    spent: dict[str, list[Spent]] = {'encode': [], 'reason': [], 'denoise': [], 'cycle': []}
    for _ in range(cycles):
        new = rng.integers(0, 256, (1, *frames.images.shape[1:]), dtype=np.uint8)
        frames = replace(frames, images=np.concatenate([new, frames.images[:-1]]))
        marks = [Instant.now()]
        features = runtime.encode(frames)
        marks.append(Instant.now())
        reasoning = runtime.reason(features, given)
        marks.append(Instant.now())
        runtime.denoise(reasoning.condition, noise)
        marks.append(Instant.now())
        given = replace(given, previous_text=reasoning.text)
        for name, begin, end in zip(
            ('encode', 'reason', 'denoise'), marks, marks[1:], strict=False
        ):
            spent[name].append(Spent.between(begin, end))
        spent['cycle'].append(Spent.between(marks[0], marks[-1]))
    return spent
