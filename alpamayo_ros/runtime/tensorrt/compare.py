"""Two runtimes on the same made-up input: how far their stages differ, and how long one takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.made_up import made_up_input


@dataclass(frozen=True, slots=True)
class StageDifference:
    """Largest absolute difference of a stage's output, and median milliseconds of the faster."""

    name: str
    difference: float
    ms: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All stages; plans differ in metres and radians."""

    stages: tuple[StageDifference, ...]
    same_words: bool


def compare(
    runtime: Runtime, reference: Runtime, profile: ModelProfile, repeats: int
) -> Comparison:
    """``runtime`` beside ``reference``, each stage fed with the reference's output before it."""
    frames, given, noise = made_up_input(profile)
    features = reference.encode(frames)
    reasoning = reference.reason(features, given)
    plans = reference.denoise(reasoning.condition, noise)
    own = runtime.reason(features, given)

    def encode() -> NDArray[Any]:
        runtime.reset()
        return runtime.encode(frames).values

    stages = (
        _stage('encode', encode, features.values, repeats),
        _stage('denoise', lambda: runtime.denoise(reasoning.condition, noise), plans, repeats),
    )
    return Comparison(stages, own.token_ids == reasoning.token_ids)


def _stage(
    name: str, work: Callable[[], NDArray[Any]], wanted: NDArray[Any], repeats: int
) -> StageDifference:
    difference = float(np.abs(work() - wanted).max())
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return StageDifference(name, difference, 1e3 * float(np.median(times)))
