"""Follows a reference trajectory with the simulated bicycle; brakes when it has expired."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.sim_rig import SimVehicle

EXPIRED_MPS2 = -3.0
HOLD_MPS2 = -2.0
ACCELERATION_MPS2 = (-5.0, 2.0)
SPEED_WINDOW_S = (0.4, 1.0)  # the reference's mean speed over this window is wanted
SPEED_TIME_S = 0.7


@dataclass(frozen=True, slots=True)
class Reference:
    """Points in base_link at t0; point i at t0 + (i + 1) * dt_s."""

    x_m: Float[np.ndarray, ' p']
    y_m: Float[np.ndarray, ' p']
    dt_s: float = 0.1


class Anchor(NamedTuple):
    """Where base_link was at t0, in odom."""

    x_m: float
    y_m: float
    heading_rad: float


@dataclass(frozen=True, slots=True)
class Motion:
    """The ego now: pose in base_link at t0, speed, steering, and the time since t0."""

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    steering_rad: float
    elapsed_s: float


def motion_since(anchor: Anchor, pose: EgoPose, elapsed_s: float) -> Motion:
    """The ego's pose, in the frame of its odometry, as the tracker wants it; heading in +-pi."""
    cos, sin = math.cos(anchor.heading_rad), math.sin(anchor.heading_rad)
    dx, dy = pose.x_m - anchor.x_m, pose.y_m - anchor.y_m
    heading = math.remainder(pose.heading_rad - anchor.heading_rad, math.tau)
    place = (cos * dx + sin * dy, cos * dy - sin * dx, heading)
    return Motion(*place, pose.speed_mps, pose.steering_rad, elapsed_s)


def follow(
    reference: Reference,
    anchor: Anchor,
    pose: EgoPose,
    elapsed_s: float,
    vehicle: SimVehicle,
    expired: bool = False,
) -> tuple[float, float]:
    """Steering [rad] and acceleration [m/s2] for a plan made at ``anchor`` ``elapsed_s`` ago."""
    return track(reference, motion_since(anchor, pose, elapsed_s), vehicle, expired)


def _wanted_speed(reference: Reference, elapsed_s: float) -> float:
    """Mean speed between 0.4 and 1.0 s from now; past the end of the reference it stands still."""
    times = np.arange(len(reference.x_m) + 1) * reference.dt_s
    x, y = np.concatenate([[0.0], reference.x_m]), np.concatenate([[0.0], reference.y_m])
    window = np.arange(SPEED_WINDOW_S[0], SPEED_WINDOW_S[1] + 1e-6, 0.1) + elapsed_s
    px, py = np.interp(window, times, x), np.interp(window, times, y)
    return math.hypot(px[-1] - px[0], py[-1] - py[0]) / (SPEED_WINDOW_S[1] - SPEED_WINDOW_S[0])


def track(
    reference: Reference, motion: Motion, vehicle: SimVehicle, expired: bool = False
) -> tuple[float, float]:
    """Steering [rad] and acceleration [m/s2] that follow a reference.

    Pure pursuit 3 to 6.5 m ahead, speed reached in 0.7 s.
    """
    v, c, s = motion.speed_mps, math.cos(motion.heading_rad), math.sin(motion.heading_rad)
    first = min(max(int(motion.elapsed_s / reference.dt_s), 0), len(reference.x_m) - 1)
    dx, dy = reference.x_m[first:] - motion.x_m, reference.y_m[first:] - motion.y_m
    x, y = c * dx + s * dy, -s * dx + c * dy
    distance = np.where(x > 0, np.hypot(x, y), 0.0)
    far = distance >= min(max(0.45 * v + 1.5, 3.0), 6.5)
    i = int(far.argmax()) if far.any() else int(distance.argmax())
    r = float(distance[i])
    steering = motion.steering_rad
    if r >= 1.0:
        steering = math.atan(vehicle.wheelbase_m * 2 * float(y[i]) / r**2)
    steering = min(max(steering, -vehicle.steering_max_rad), vehicle.steering_max_rad)
    if expired:
        return steering, EXPIRED_MPS2
    wanted = _wanted_speed(reference, motion.elapsed_s)
    acceleration = min(
        max((wanted - v) / SPEED_TIME_S, ACCELERATION_MPS2[0]), ACCELERATION_MPS2[1]
    )
    return steering, HOLD_MPS2 if wanted < 0.25 and v < 0.6 else acceleration
