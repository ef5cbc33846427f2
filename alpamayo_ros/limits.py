"""Limits: the numbers of ``config/limits.param.yaml``, where each stands with its source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alpamayo_ros.profile import share_dir

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Ratio = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]


class Limits(BaseModel):
    """Every safety limit, SI units in the names; ``x_warn_unit`` never exceeds ``x_unit``.

    A missing, unknown, non-finite or non-positive entry raises pydantic.ValidationError, which
    names the key.
    """

    model_config = ConfigDict(extra='forbid', frozen=True)

    start_position_warn_m: Positive
    start_position_m: Positive
    start_yaw_warn_rad: Positive
    start_yaw_rad: Positive
    start_speed_warn_mps: Positive
    start_speed_mps: Positive
    lateral_acceleration_warn_mps2: Positive
    lateral_acceleration_mps2: Positive
    lateral_jerk_warn_mps3: Positive
    lateral_jerk_mps3: Positive
    acceleration_warn_mps2: Positive
    acceleration_mps2: Positive
    deceleration_warn_mps2: Positive
    deceleration_mps2: Positive
    longitudinal_jerk_mps3: Positive
    curvature_1pm: Positive
    steering_rad: Positive
    steering_rate_rps: Positive
    path_length_error_m: Positive
    raw_deviation_warn_m: Positive
    raw_deviation_m: Positive
    raw_deviation_horizon_s: Positive
    dt_tolerance_s: Positive
    jump_lateral_warn_m: Positive
    jump_lateral_m: Positive
    jump_forward_warn_m: Positive
    jump_horizon_s: Positive
    jump_forward_horizon_s: Positive
    spread_warn_m: Positive
    spread_m: Positive
    speed_tolerance_mps: Positive
    plan_age_s: Positive
    frame_age_warn_s: Positive
    frame_age_s: Positive
    camera_silence_periods: Positive
    camera_mandatory_periods: Positive
    camera_rate_warn_ratio: Ratio
    camera_rate_ratio: Ratio
    skew_warn_s: Positive
    skew_s: Positive
    stamp_future_warn_s: Positive
    stamp_future_s: Positive
    clock_forward_s: Positive
    clock_jitter_s: Positive
    odometry_gap_warn_s: Positive
    odometry_gap_s: Positive
    odometry_speed_warn_mps: Positive
    odometry_speed_mps: Positive
    cycle_warn_periods: Positive
    cycle_drop_periods: Positive
    cycle_kill_periods: Positive
    soft_degraded_s: Positive
    clear_s: Positive
    init_valid_s: Positive
    rearm_plans: Count
    rearm_speed_mps: Positive
    model_failures: Count
    model_respawns: Count
    respawn_window_s: Positive
    degraded_speed_ratio: Ratio
    stop_deceleration_mps2: Positive
    stop_jerk_mps3: Positive
    hard_stop_deceleration_mps2: Positive
    hard_stop_jerk_mps3: Positive
    rest_speed_mps: Positive
    gpu_warn_celsius: Positive
    gpu_celsius: Positive
    gpu_memory_warn_ratio: Ratio
    gpu_memory_ratio: Ratio
    disk_warn_bytes: Positive
    disk_bytes: Positive

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
        return self


def in_ns(seconds: float) -> int:
    """Nanoseconds of a limit in seconds."""
    return round(seconds * 1e9)


def load_limits(path: str | Path | None = None) -> Limits:
    """Read the limits file (default: the one that ships); ValueError names the wrong key."""
    file = Path(path) if path is not None else share_dir() / 'config' / 'limits.param.yaml'
    tree = yaml.safe_load(file.read_text())
    try:
        values = tree['/**']['ros__parameters']['limits']
    except (TypeError, KeyError) as error:
        raise ValueError(f'{file}: expected /** -> ros__parameters -> limits') from error
    return Limits.model_validate(values)
