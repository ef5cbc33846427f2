"""How far plans lie from the plan being driven, at equal time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.plan import Plan, sample, to_base, to_odom
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.types import EgoState


def jump(
    rollout: Rollout, ego: EgoState, previous: Plan | None, limits: Limits
) -> tuple[Float[np.ndarray, ' K'], Float[np.ndarray, ' K']]:
    """Largest lateral and forward distance [m] from ``previous`` at equal time; 0 without one.

    Positions of both count from where each puts the car at t0, so that a tracking error is no
    jump.  Horizons: ``jump_horizon_s`` across, ``jump_forward_horizon_s`` along.  Against a stop
    only the distance across counts: driving on after it is no jump.
    """
    k, p = rollout.speed_mps.shape
    if previous is None:
        return np.zeros(k), np.zeros(k)
    if not rollout.dt_s > 0:  # no time, no comparison: NaN is refused
        return np.full(k, np.nan), np.full(k, np.nan)
    age = (rollout.t0_ns - previous.t0_ns) * 1e-9
    after = np.arange(1, p + 1) * rollout.dt_s
    covered = previous.trajectory.dt_s * len(previous.trajectory.x_m) - age
    count = int(np.sum(after <= min(limits.jump_horizon_s, covered) + 1e-9))
    if count == 0:
        return np.zeros(k), np.zeros(k)
    old = sample(previous.trajectory, previous.anchor, np.append(age, age + after[:count]))
    poses = np.stack([old['x_m'], old['y_m'], old['heading_rad']], axis=-1)
    there = to_base(to_odom(poses, previous.anchor), ego)
    ahead = max(min(count, round(limits.jump_forward_horizon_s / rollout.dt_s)), 1)
    delta = rollout.poses[:, :count, :2] - (there[1:, :2] - there[0, :2])
    cos, sin = np.cos(there[1:, 2]), np.sin(there[1:, 2])
    across = np.abs(delta[..., 1] * cos - delta[..., 0] * sin)
    along = np.abs(delta[..., 0] * cos + delta[..., 1] * sin)
    forward = along[:, :ahead].max(axis=1)
    return across.max(axis=1), forward if previous.source == 'model' else np.zeros(k)
