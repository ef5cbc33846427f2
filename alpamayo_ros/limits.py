"""Limits: the numbers of ``config/limits.param.yaml``, where each stands with its source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alpamayo_ros.config_file import read_model
from alpamayo_ros.profile import share_dir

# What no limits file may leave, by unit: beyond it a check is switched off, not set.
Metres = Annotated[float, Field(ge=0.01, le=50)]
Radians = Annotated[float, Field(ge=0.001, le=1.58)]
Speed = Annotated[float, Field(ge=0.01, le=20)]
Acceleration = Annotated[float, Field(ge=0.1, le=12)]  # no tyre on a road has 12 m/s2
Jerk = Annotated[float, Field(ge=0.05, le=50)]
Curvature = Annotated[float, Field(ge=0.001, le=1)]
Age = Annotated[float, Field(ge=0.0001, le=0.5)]  # SAFETY.md: no plan is older than 0.5 s
Seconds = Annotated[float, Field(ge=0.1, le=30)]
Minutes = Annotated[float, Field(ge=1, le=3600)]
Periods = Annotated[float, Field(ge=0.5, le=20)]
Ratio = Annotated[float, Field(ge=0.01, le=1)]
Count = Annotated[int, Field(ge=1, le=100)]
Files = Annotated[int, Field(ge=64, le=65536)]
Celsius = Annotated[float, Field(ge=30, le=110)]
Bytes = Annotated[float, Field(ge=1e6, le=1e15)]
# Each of these asks for no more than the next one.
RISING = (
    ('stop_deceleration_mps2', 'hard_stop_deceleration_mps2'),
    ('hard_stop_deceleration_mps2', 'deceleration_mps2'),
    ('stop_jerk_mps3', 'hard_stop_jerk_mps3'),
    ('camera_silence_periods', 'camera_mandatory_periods'),
    ('cycle_warn_periods', 'cycle_drop_periods'),
    ('cycle_drop_periods', 'cycle_kill_periods'),
)


class Limits(BaseModel):
    """Every safety limit, SI units in the names; ``x_warn_unit`` never exceeds ``x_unit``.

    A missing or unknown entry, and one outside the range of its unit, raises
    pydantic.ValidationError, which names the key.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)

    start_position_warn_m: Metres
    start_position_m: Metres
    start_yaw_warn_rad: Radians
    start_yaw_rad: Radians
    start_speed_warn_mps: Speed
    start_speed_mps: Speed
    lateral_acceleration_warn_mps2: Acceleration
    lateral_acceleration_mps2: Acceleration
    lateral_jerk_warn_mps3: Jerk
    lateral_jerk_mps3: Jerk
    acceleration_warn_mps2: Acceleration
    acceleration_mps2: Acceleration
    deceleration_warn_mps2: Acceleration
    deceleration_mps2: Acceleration
    longitudinal_jerk_mps3: Jerk
    curvature_1pm: Curvature
    steering_rad: Radians
    steering_rate_rps: Radians
    path_length_error_m: Metres
    raw_deviation_warn_m: Metres
    raw_deviation_m: Metres
    raw_deviation_horizon_s: Seconds
    dt_tolerance_s: Age
    jump_lateral_warn_m: Metres
    jump_lateral_m: Metres
    jump_forward_warn_m: Metres
    jump_horizon_s: Seconds
    jump_forward_horizon_s: Seconds
    spread_warn_m: Metres
    spread_m: Metres
    speed_tolerance_mps: Speed
    plan_age_s: Age
    frame_age_warn_s: Age
    frame_age_s: Age
    camera_silence_periods: Periods
    camera_mandatory_periods: Periods
    camera_rate_warn_ratio: Ratio
    camera_rate_ratio: Ratio
    skew_warn_s: Age
    skew_s: Age
    stamp_future_warn_s: Age
    stamp_future_s: Age
    clock_forward_s: Age
    clock_jitter_s: Age
    odometry_gap_warn_s: Age
    odometry_gap_s: Age
    odometry_speed_warn_mps: Speed
    odometry_speed_mps: Speed
    cycle_warn_periods: Periods
    cycle_drop_periods: Periods
    cycle_kill_periods: Periods
    soft_degraded_s: Seconds
    clear_s: Seconds
    init_valid_s: Seconds
    rearm_plans: Count
    rearm_speed_mps: Speed
    model_failures: Count
    model_respawns: Count
    respawn_window_s: Minutes
    model_memory_ratio: Ratio
    model_files: Files
    degraded_speed_ratio: Ratio
    stop_start_m: Metres
    stop_deceleration_mps2: Acceleration
    stop_jerk_mps3: Jerk
    hard_stop_deceleration_mps2: Acceleration
    hard_stop_jerk_mps3: Jerk
    rest_speed_mps: Speed
    gpu_warn_celsius: Celsius
    gpu_celsius: Celsius
    gpu_memory_warn_ratio: Ratio
    gpu_memory_ratio: Ratio
    disk_warn_bytes: Bytes
    disk_bytes: Bytes

    @model_validator(mode='before')
    @classmethod
    def _no_switches(cls, given: Any) -> Any:
        for name, value in given.items() if isinstance(given, dict) else ():
            if isinstance(value, bool):
                raise ValueError(f'{name}: expected a number, got {value}')
        return given

    @model_validator(mode='after')
    def _ordered(self) -> Limits:
        falling = {'camera_rate_warn_ratio', 'disk_warn_bytes'}  # here less is worse
        for name in type(self).model_fields:
            bare = name.replace('_warn_', '_')
            if '_warn_' not in name or bare not in type(self).model_fields:
                continue
            warn, limit = getattr(self, name), getattr(self, bare)
            if (warn < limit) if name in falling else (warn > limit):
                raise ValueError(f'{name} = {warn} lies beyond {bare} = {limit}')
        if text := contradiction(self):
            raise ValueError(text)
        return self


def contradiction(limits: Limits) -> str:
    """The first two limits of which one makes the other impossible to keep; '' for none.

    A stop that is to brake harder than a plan may would never leave.
    """
    for lesser, greater in RISING:
        low, high = getattr(limits, lesser), getattr(limits, greater)
        if not low <= high:
            return f'{lesser} = {low} lies beyond {greater} = {high}'
    return ''


def in_ns(seconds: float) -> int:
    """Nanoseconds of a limit in seconds."""
    return round(seconds * 1e9)


def load_limits(path: str | Path | None = None) -> Limits:
    """Read the limits file (default: the one that ships); ConfigError names line and key."""
    file = Path(path) if path is not None else share_dir() / 'config' / 'limits.param.yaml'
    return read_model(file, Limits, ('/**', 'ros__parameters', 'limits'))
