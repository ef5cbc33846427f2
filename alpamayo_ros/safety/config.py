"""PlanConfig: everything ``decide`` is configured with, read once and never changed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from alpamayo_ros.faults import Fault, Reaction, worst
from alpamayo_ros.limits import Limits, contradiction, load_limits
from alpamayo_ros.motion.cost import Weights
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.sensing.rig import Vehicle, load_rig
from alpamayo_ros.statuses import ConfigError


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """Profile, limits, vehicle, weights; ``period_s`` is the planning period.

    It is never shorter than the model's own (``deadlines`` of the profile).

    ConfigError names two limits that cannot both be kept, also where no file was read.

    ``coc_degrades``: words that announce the opposite of the chosen path degrade the state.

    ``speed_cap_mps``: what a person allows at most.  ``auto_arm`` and ``auto_rearm`` replace the
    person who arms: for simulation and replay only.
    """

    profile: ModelProfile
    limits: Limits
    vehicle: Vehicle
    period_s: float = 0.1
    auto_arm: bool = False
    auto_rearm: bool = False
    coc_degrades: bool = False
    weights: Weights = field(default_factory=Weights)
    speed_cap_mps: float = math.inf

    def __post_init__(self) -> None:
        """The period, lengthened where the model asks for it; contradicting limits are refused."""
        least = self.profile.deadlines
        if least is not None:
            object.__setattr__(self, 'period_s', max(self.period_s, least.period_s))
        if text := contradiction(self.limits):
            raise ConfigError(f'limits: {text}')

    @classmethod
    def from_files(
        cls,
        profile: str | Path = 'nano',
        limits: str | Path | None = None,
        rig: str | Path = 'sim',
        **options: bool | float,
    ) -> PlanConfig:
        """Read profile, limits (default: those that ship) and the rig's vehicle.

        ValueError or FileNotFoundError says which file and key is wrong.
        """
        vehicle = load_rig(rig).vehicle
        return cls(load_profile(profile), load_limits(limits), vehicle, **options)  # type: ignore[arg-type]

    def lowered(
        self, speed_mps: float = math.inf, acceleration_mps2: float = math.inf
    ) -> PlanConfig:
        """This configuration under caps that a person sets: they lower, and never raise."""
        warn = min(self.limits.acceleration_warn_mps2, acceleration_mps2)
        hard = min(self.limits.acceleration_mps2, acceleration_mps2)
        limits = self.limits.model_copy(
            update={'acceleration_warn_mps2': warn, 'acceleration_mps2': hard}
        )
        return replace(self, limits=limits, speed_cap_mps=min(self.speed_cap_mps, speed_mps))

    def speed_cap(self, state: SafetyState, faults: list[Fault]) -> float:
        """Speed [m/s] that no new plan may exceed: profile's and person's, less while DEGRADED."""
        degraded = state.mode is Mode.DEGRADED or worst(faults) >= Reaction.MASK
        ratio = self.limits.degraded_speed_ratio if degraded else 1.0
        return min(self.profile.max_speed_mps, self.speed_cap_mps) * ratio
