"""A runtime that also writes down how long each stage took; the values pass through untouched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity, Runtime
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning

Result = TypeVar('Result')
STAGES = ('encode', 'reason', 'denoise', 'transfer')


class TimedRuntime:
    """Wraps a runtime; ``stage_ms`` holds milliseconds of the newest call of each stage."""

    def __init__(self, inner: Runtime) -> None:
        self.inner = inner
        self.stage_ms: dict[str, float] = {}

    def _timed(self, stage: str, call: Callable[[], Result]) -> Result:
        begin = time.perf_counter()
        result = call()
        self.stage_ms[stage] = (time.perf_counter() - begin) * 1e3
        return result

    @property
    def identity(self) -> Identity:
        """Identity of the wrapped runtime."""
        return self.inner.identity

    @property
    def profile(self) -> ModelProfile:
        """Profile of the wrapped runtime."""
        return self.inner.profile

    def encode(self, frames: FrameStack) -> Features:
        """Timed ``encode``."""
        self.stage_ms = {}
        return self._timed('encode', lambda: self.inner.encode(frames))

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Timed ``reason``."""
        return self._timed('reason', lambda: self.inner.reason(features, given))

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Timed ``denoise``."""
        return self._timed('denoise', lambda: self.inner.denoise(condition, noise))

    def reset(self) -> None:
        """Forget caches and times."""
        self.stage_ms = {}
        self.inner.reset()

    def warm_up(self) -> None:
        """Warm the wrapped runtime."""
        self.inner.warm_up()

    def close(self) -> None:
        """Close the wrapped runtime."""
        self.inner.close()


def add_up(stage_ms: dict[str, float], wall_ms: float) -> dict[str, float]:
    """The four stages, adding up to the wall time.

    ``transfer`` is what the others leave of it.
    """
    stages = {stage: stage_ms.get(stage, 0.0) for stage in STAGES[:3]}
    return {**stages, 'transfer': wall_ms - sum(stages.values())}
