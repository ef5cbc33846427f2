"""Checks of a reference before it leaves, by the limits that its plan had to keep."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.motion.validate import NO_WARNING, Checks, Column, ride, table
from alpamayo_ros.types import EgoState, Trajectory


def check_reference(
    reference: Trajectory,
    ego: EgoState,
    apart: tuple[float, float],
    cap_mps: float,
    limits: Limits,
) -> Checks:
    """Checks of one reference (K = 1); ``apart``: metres and radians from the car to its start."""
    t = reference
    columns = (t.speed_mps, t.acceleration_mps2, t.steering_rad, t.curvature_1pm)
    with np.errstate(all='ignore'):  # NaN and infinity are answers here: they are refused
        poses = np.stack([t.x_m, t.y_m, t.heading_rad], axis=-1)
        whole = all(np.isfinite(np.float32(c)).all() for c in (poses, *columns))
        found: list[Column] = [
            ('not_finite', float(not whole), NO_WARNING, 0.5),
            ('start_position_m', apart[0], limits.start_position_warn_m, limits.start_position_m),
            ('start_yaw_rad', apart[1], limits.start_yaw_warn_rad, limits.start_yaw_rad),
        ]
        if len(t.x_m) > 1:
            rollout = Rollout(t.t0_ns, t.dt_s, poses[None], *(c[None] for c in columns))
            found += ride(rollout, ego, limits, cap_mps)
        return table(found, 1)
