"""The three calls a runtime answers: encode, reason, denoise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model answers: runtime kind, profile name, SHA-256 of ``manifest.json``.

    The hash is '' for a script.
    """

    kind: str
    profile: str
    manifest_sha256: str = ''
    version: str = ''


@dataclass(frozen=True, slots=True)
class Features:
    """Scene features of T timesteps, newest first.

    With the true ages in seconds and the validity of the views.
    """

    values: Float[np.ndarray, 'T N D']
    age_s: Float[np.ndarray, 'T V']
    valid: Bool[np.ndarray, 'T V']


@dataclass(frozen=True, slots=True)
class Condition:
    """What the denoiser looks at: hidden states of all tokens, and what they were made from."""

    hidden: Float[np.ndarray, 'S D']
    given: Conditioning


@dataclass(frozen=True, slots=True)
class HeldFeatures(Features):
    """Features that lie elsewhere; ``frames`` makes them again where they no longer do."""

    frames: FrameStack | None = field(default=None, repr=False)

    @classmethod
    def of(cls, frames: FrameStack) -> HeldFeatures:
        """Without a number of their own."""
        empty = np.zeros((len(frames.images), 0, 0), np.float32)
        return cls(empty, frames.age_s, frames.valid, frames)


@dataclass(frozen=True, slots=True)
class HeldCondition(Condition):
    """A condition that lies elsewhere: made of ``features`` and, where they were given, words."""

    features: HeldFeatures | None = field(default=None, repr=False)
    said: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls, given: Conditioning, features: HeldFeatures, said: tuple[int, ...] | None = None
    ) -> HeldCondition:
        """Without a number of its own."""
        return cls(np.zeros((0, 0), np.float32), given, features, said)


def words_after(runtime: Runtime) -> str:
    """Words that the newest cycle left undone (``words_concurrent``); '' where there are none."""
    inner = getattr(runtime, 'inner', runtime)
    return str(inner.words_after()) if hasattr(inner, 'words_after') else ''


class ModelGone(Exception):
    """The process that held the model has ended: no cycle can succeed until all starts anew."""


@runtime_checkable
class Runtime(Protocol):
    """A loaded and verified model.

    The three calls are pure: equal inputs give equal bytes, whatever was asked before.  Caches
    inside may change the time, never the values.
    """

    @property
    def identity(self) -> Identity:
        """Which model answers."""
        ...

    @property
    def profile(self) -> ModelProfile:
        """The contract of its inputs and outputs; a file of one's own has any name."""
        ...

    def encode(self, frames: FrameStack) -> Features:
        """Features of every timestep of ``frames``."""
        ...

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """Chain of causation, and the condition for :meth:`denoise`."""
        ...

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Candidates (x, y [m], heading [rad]) in base_link at t0 from unit normal noise."""
        ...

    def reset(self) -> None:
        """Forget every cache."""
        ...

    def warm_up(self) -> None:
        """Run one cycle on made-up input, so that the first real one is not slow."""
        ...

    def close(self) -> None:
        """Free the model; no call is legal afterwards."""
        ...
