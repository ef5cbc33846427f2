"""Somebody else's package: a planner, and a runtime with the three calls of its own."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning


class Steady:
    """Straight on at the speed that the car has."""

    blind = True

    def __init__(self, profile: ModelProfile) -> None:
        self.form = profile.trajectory

    def plan(self, frames: FrameStack, given: Conditioning) -> np.ndarray:
        """One path (P, 3): x [m], y [m], heading [rad] in base_link at t0."""
        time_s = np.arange(1, self.form.points + 1) * self.form.dt_s
        x = time_s * given.ego.speed_mps[0]
        return np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=-1)


class Still:
    """Stands, and says so."""

    def __init__(self, profile: ModelProfile) -> None:
        self.profile = profile
        self.identity = Identity('still', profile.name)

    def encode(self, frames: FrameStack) -> Features:
        """Nothing is seen."""
        nothing = np.zeros((len(frames.images), 1, 1), np.float32)
        return Features(nothing, frames.age_s, frames.valid)

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """The same words every time."""
        return Reasoning('I stand', (), Condition(np.zeros((1, 1), np.float32), given))

    def denoise(self, condition: Condition, noise: np.ndarray) -> np.ndarray:
        """No way at all, for every candidate."""
        return np.zeros_like(noise)

    def reset(self) -> None:
        """Nothing is kept."""

    def warm_up(self) -> None:
        """Nothing is slow."""

    def close(self) -> None:
        """Nothing is held."""
