"""Frozen records that flow between the stages; every field carries its frame and unit.

Frames (REP 103, REP 105): ``odom``/``map`` are ENU; ``base_link`` (here also *ego*) is the centre
of the rear axle on the ground, x forward, y left, z up.  SI units, radians, integer nanoseconds.
A candidate or plan is always expressed in base_link as it stood at t0; point i is at t0 + (i + 1)
* dt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8


@dataclass(frozen=True, slots=True)
class FrameSet:
    """One synchronised timestep: every view of the profile, captured around ``t0_ns``.

    ``images``: RGB, view order of the profile.  ``stamps_ns``: true capture time of each view.
    ``valid``: False where the camera is lost or refused (its pixels are then zero).
    """

    t0_ns: int
    images: UInt8[np.ndarray, 'V H W 3']
    stamps_ns: Int[np.ndarray, ' V']
    valid: Bool[np.ndarray, ' V']


@dataclass(frozen=True, slots=True)
class FrameStack:
    """The model's visual input: T timesteps, newest first, with true ages in seconds.

    Index 0 is t0.
    """

    t0_ns: int
    images: UInt8[np.ndarray, 'T V H W 3']
    age_s: Float[np.ndarray, 'T V']
    valid: Bool[np.ndarray, 'T V']

    @property
    def oldest_s(self) -> float:
        """Age at t0 of the oldest valid view of the newest timestep [s]; 0 where none is valid."""
        return float(np.max(self.age_s[0][self.valid[0]], initial=0.0))


@dataclass(frozen=True, slots=True)
class EgoState:
    """Motion of base_link at one instant, pose in odom.  ``steering_rad`` is NaN where unknown."""

    stamp_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    yaw_rate_rps: float = 0.0
    acceleration_mps2: float = 0.0
    steering_rad: float = float('nan')


@dataclass(frozen=True, slots=True)
class EgoHistory:
    """Past motion at t0 - k * spacing, newest first (index 0 is t0), poses in base_link at t0.

    ``poses``: x [m], y [m], heading [rad].  ``valid`` is False where odometry did not cover the
    instant.
    ``extrapolated_ns``: how far index 0 lies beyond the newest odometry (at most 50 ms).
    """

    t0_ns: int
    poses: Float[np.ndarray, 'H 3']
    speed_mps: Float[np.ndarray, ' H']
    acceleration_mps2: Float[np.ndarray, ' H']
    yaw_rate_rps: Float[np.ndarray, ' H']
    steering_rad: Float[np.ndarray, ' H']
    valid: Bool[np.ndarray, ' H']
    extrapolated_ns: int = 0


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What a plan depends on besides the pictures, the same record for words and trajectories.

    Texts are canonical and capped; '' means absent.  ``previous_text``: the chain of causation of
    the cycle before, from the pictures of ``previous_t0_ns``: a draft that saves time and changes
    no token, or, where words come less often than plans, what conditions this plan.  A new input
    is one field here, one array in ``runtime.process.channel``, one segment of ``model.layout``.
    """

    ego: EgoHistory
    navigation: str = ''
    prompt: str = ''
    previous_text: str = ''
    previous_t0_ns: int = 0


@dataclass(frozen=True, slots=True)
class PlannerInput:
    """Everything ``pipeline.propose`` sees."""

    t0_ns: int
    frames: FrameStack
    given: Conditioning
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The chain of causation of one cycle and the runtime's opaque condition for the denoiser.

    ``text`` is printable UTF-8 with one line a part, ``perception: ...`` to ``intent: ...``.
    ``kept``: it is the text of the cycle before, and nothing was decoded.
    """

    text: str
    token_ids: tuple[int, ...]
    condition: Any = field(repr=False, compare=False, default=None)
    truncated: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the model proposes for t0: K raw candidates and its reasons.

    A candidate is x, y, heading in base_link at t0.  ``navigation``: the words it was asked with.
    ``text`` conditioned the candidates and is of the pictures of ``text_t0_ns``; ``later``: words
    of these pictures, where they were decoded after the candidates ('' where there are none).
    """

    t0_ns: int
    candidates: Float[np.ndarray, 'K P 3']
    text: str
    token_ids: tuple[int, ...] = ()
    truncated: bool = False
    stage_ms: dict[str, float] = field(default_factory=dict, compare=False)
    text_t0_ns: int = 0
    navigation: str = ''
    later: str = ''

    def newest_words(self, held: tuple[str, int] = ('', 0)) -> tuple[str, int]:
        """Text and the t0 of its pictures, for the cycle that follows.

        ``held``: words that came by themselves; they stay where they are newer than these, and of
        no later pictures than the plan.
        """
        if self.text_t0_ns < held[1] <= self.t0_ns:
            return held
        return (self.later, self.t0_ns) if self.later else (self.text, self.text_t0_ns)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A feasible trajectory in base_link at ``t0_ns``; point i at t0 + (i + 1) * dt."""

    t0_ns: int
    dt_s: float
    x_m: Float[np.ndarray, ' P']
    y_m: Float[np.ndarray, ' P']
    heading_rad: Float[np.ndarray, ' P']
    speed_mps: Float[np.ndarray, ' P']
    acceleration_mps2: Float[np.ndarray, ' P']
    curvature_1pm: Float[np.ndarray, ' P']
    yaw_rate_rps: Float[np.ndarray, ' P']
    steering_rad: Float[np.ndarray, ' P']


@dataclass(frozen=True, slots=True)
class TrackedObject:
    """An oriented box in base_link at the time of ``stamp_ns``.

    Its velocity is in the same axes, relative to the ground.
    """

    id: int
    kind: str
    stamp_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    length_m: float
    width_m: float
