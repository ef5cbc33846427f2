"""CPU time of every stage of a runtime, on frames that change as a drive's do."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT


def stage_times(
    runtime: Runtime, profile: ModelProfile, cycles: int = 20
) -> dict[str, list[float]]:
    """CPU milliseconds of ``encode`` (one new timestep), ``reason`` and ``denoise`` in each cycle.

    Every cycle brings one new timestep and has the previous text as its draft.
    """
    rng = np.random.default_rng(0)
    frames, given, noise = made_up_input(profile)
    given = replace(given, navigation=FOLLOW_TEXT)
    runtime.encode(frames)
    spent: dict[str, list[float]] = {'encode': [], 'reason': [], 'denoise': [], 'cycle': []}
    for _ in range(cycles):
        new = rng.integers(0, 256, (1, *frames.images.shape[1:]), dtype=np.uint8)
        frames = replace(frames, images=np.concatenate([new, frames.images[:-1]]))
        marks = [time.process_time()]
        features = runtime.encode(frames)
        marks.append(time.process_time())
        reasoning = runtime.reason(features, given)
        marks.append(time.process_time())
        runtime.denoise(reasoning.condition, noise)
        marks.append(time.process_time())
        given = replace(given, previous_text=reasoning.text)
        for name, begin, end in zip(
            ('encode', 'reason', 'denoise'), marks, marks[1:], strict=False
        ):
            spent[name].append((end - begin) * 1e3)
        spent['cycle'].append((marks[-1] - marks[0]) * 1e3)
    return spent
