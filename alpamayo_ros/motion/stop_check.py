"""Checks of a stop, as of a plan of the model: where it starts, and what driving it asks for."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.motion.validate import NO_WARNING, Checks, Column, ride, table
from alpamayo_ros.types import EgoState, Trajectory


def check_stop(stop: Trajectory, ego: EgoState, limits: Limits, rise_mps: float = 0.0) -> Checks:
    """Checks of one stop (K = 1) that begins at ``ego``; finite also as float32, as published.

    ``rise_mps``: by how much it may get faster first (``fallback.rise_mps``).
    """
    columns = (stop.speed_mps, stop.acceleration_mps2, stop.steering_rad, stop.curvature_1pm)
    with np.errstate(all='ignore'):  # NaN and infinity are answers here: they are refused
        poses = np.stack([stop.x_m, stop.y_m, stop.heading_rad], axis=-1)
        whole = all(np.isfinite(np.float32(c)).all() for c in (poses, *columns))
        rollout = Rollout(stop.t0_ns, stop.dt_s, poses[None], *(c[None] for c in columns))
        found: list[Column] = [
            ('not_finite', float(not whole), NO_WARNING, 0.5),
            *_start(stop, limits),
            _length(stop, ego, limits),
            *ride(rollout, ego, limits, max(ego.speed_mps, 0.0) + rise_mps),
        ]
        return table(found, 1)


def _start(stop: Trajectory, limits: Limits) -> list[Column]:
    """How far the first point lies from where the car will be, and how it is turned there."""
    ahead = float(stop.speed_mps[0]) * stop.dt_s
    apart = float(np.hypot(stop.x_m[0] - ahead, stop.y_m[0]))
    turned = abs(float(stop.heading_rad[0]) - float(stop.curvature_1pm[0]) * ahead)
    return [
        ('stop_start_m', apart, NO_WARNING, limits.stop_start_m),
        ('start_yaw_rad', turned, limits.start_yaw_warn_rad, limits.start_yaw_rad),
    ]


def _length(stop: Trajectory, ego: EgoState, limits: Limits) -> Column:
    """Length of the points against the integral of the speeds: far from the origin digits end."""
    steps = np.hypot(np.diff(stop.x_m, prepend=0.0), np.diff(stop.y_m, prepend=0.0))
    before = np.append(max(ego.speed_mps, 0.0), stop.speed_mps[:-1])
    integral = float(((before + stop.speed_mps) / 2 * stop.dt_s).sum())
    error = abs(float(steps.sum()) - integral)
    return 'path_length_error_m', error, NO_WARNING, limits.path_length_error_m
