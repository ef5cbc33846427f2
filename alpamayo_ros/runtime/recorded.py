"""Cycles kept with all that entered and left them, to be run again, timed, compared or stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.process.channel import get_input, put_input
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.types import Conditioning, FrameStack, PlannerInput, Reasoning


@dataclass(frozen=True, slots=True)
class Recorded:
    """What entered one cycle; ``words`` and ``plans`` are what came out."""

    frames: FrameStack
    given: Conditioning
    noise: Float[np.ndarray, 'K P 3']
    words: tuple[int, ...]
    plans: Float[np.ndarray, 'K P 3']


@dataclass(frozen=True, slots=True)
class _Held:
    """Arrays by their names; see ``channel.Arrays``."""

    named: dict[str, NDArray[Any]]

    def write(self, name: str, values: NDArray[Any]) -> None:
        self.named[name] = values

    def read(self, name: str) -> NDArray[Any]:
        return self.named[name]


def store(cycle: Recorded, file: Path) -> dict[str, Any]:
    """The arrays go into ``file`` (.npz); what else there is, is returned for JSON."""
    held = _Held({'noise': cycle.noise, 'plans': cycle.plans})
    inputs = PlannerInput(cycle.frames.t0_ns, cycle.frames, cycle.given)
    rest = put_input(held, inputs)
    np.savez(file, **held.named)  # type: ignore[arg-type]
    return {**rest, 'words': list(cycle.words)}


def restore(file: Path, rest: dict[str, Any]) -> Recorded:
    """The cycle that ``store`` put there, to the last bit; ``rest``: what it returned."""
    with np.load(file, allow_pickle=False) as named:  # noqa: TID251 - plain arrays
        held = _Held(dict(named))
    inputs, words = get_input(held, rest), tuple(rest['words'])
    return Recorded(inputs.frames, inputs.given, held.read('noise'), words, held.read('plans'))


@dataclass(slots=True)
class KeepingRuntime:
    """Wraps a runtime and keeps every ``every``-th cycle until there are ``most``.

    The first ``skipped`` are not kept: the car stands.  The third call of a cycle completes it.
    """

    inner: StagedRuntime
    every: int
    most: int
    skipped: int = 0
    kept: list[Recorded] = field(default_factory=list)
    _cycles: int = 0
    _frames: FrameStack | None = None
    _said: Reasoning | None = None

    @property
    def identity(self) -> Identity:
        """Identity of the wrapped runtime."""
        return self.inner.identity

    @property
    def profile(self) -> ModelProfile:
        """Profile of the wrapped runtime."""
        return self.inner.profile

    def encode(self, frames: FrameStack) -> Features:
        """Passed on."""
        self._frames = frames
        return self.inner.encode(frames)

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Passed on."""
        self._said = self.inner.reason(features, given)
        return self._said

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Passed on; the cycle is complete."""
        plans = self.inner.denoise(condition, noise)
        since, self._cycles = self._cycles - self.skipped, self._cycles + 1
        due = since >= 0 and since % self.every == 0 and len(self.kept) < self.most
        if due and self._frames is not None and self._said is not None:
            words = self._said.token_ids
            made = Recorded(self._frames, condition.given, noise, words, plans)
            self.kept.append(made)
        return plans

    def reset(self) -> None:
        """Passed on; what was kept stays."""
        self.inner.reset()

    def warm_up(self) -> None:
        """Passed on."""
        self.inner.warm_up()

    def close(self) -> None:
        """The wrapped runtime stays open: others go on with it."""
