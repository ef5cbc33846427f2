"""Kinematic bicycle about the centre of the rear axle: forward roll-out and its exact inverse.

    theta' = v tan(steering) / wheelbase,   x' = v cos(theta),   y' = v sin(theta),   v' = a

Steering and acceleration are held over a step, so each step is an arc of a circle and is
integrated exactly.  Arrays are (K, P): K trajectories of P steps.  Index i is the step that *ends*
at point i.  (Rajamani, Vehicle Dynamics and Control, 2nd ed., section 2.2, with the reference
point moved to the rear axle, where the slip angle is zero.)
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

AT_REST_M = 1e-6  # a step shorter than this has no direction: the steering is held


def wrap(angle_rad: Float[np.ndarray, '*axes']) -> Float[np.ndarray, '*axes']:
    """The same angle in [-pi, pi)."""
    return (angle_rad + np.pi) % (2 * np.pi) - np.pi


def integrate_speed(
    acceleration_mps2: Float[np.ndarray, 'K P'], speed0_mps: Float[np.ndarray, ' K'], dt_s: float
) -> Float[np.ndarray, 'K P']:
    """Speed at the end of each step; never negative (a stopped car does not reverse).

    Equal to ``v = max(0, v + a dt)`` step by step: the sum minus its running minimum below zero.
    """
    total = speed0_mps[:, None] + np.cumsum(acceleration_mps2, axis=1) * dt_s
    return total - np.minimum(np.minimum.accumulate(total, axis=1), 0.0)


def integrate_path(
    curvature_1pm: Float[np.ndarray, 'K P'], step_m: Float[np.ndarray, 'K P']
) -> Float[np.ndarray, 'K P 3']:
    """Poses (x, y, heading) from the origin along arcs of the given curvature and length."""
    turn = curvature_1pm * step_m
    heading = np.cumsum(turn, axis=1)
    middle = heading - turn / 2
    chord = step_m * np.sinc(turn / (2 * np.pi))  # sinc(x) = sin(pi x) / (pi x)
    x = np.cumsum(chord * np.cos(middle), axis=1)
    y = np.cumsum(chord * np.sin(middle), axis=1)
    return np.stack([x, y, heading], axis=-1)


def forward(
    steering_rad: Float[np.ndarray, 'K P'],
    acceleration_mps2: Float[np.ndarray, 'K P'],
    speed0_mps: Float[np.ndarray, ' K'],
    dt_s: float,
    wheelbase_m: float,
) -> tuple[Float[np.ndarray, 'K P 3'], Float[np.ndarray, 'K P']]:
    """Controls to poses (x, y, heading) and speeds, from the origin at ``speed0_mps``."""
    speed = integrate_speed(acceleration_mps2, speed0_mps, dt_s)
    before = np.concatenate([speed0_mps[:, None], speed[:, :-1]], axis=1)
    return integrate_path(np.tan(steering_rad) / wheelbase_m, (before + speed) / 2 * dt_s), speed


def inverse(
    poses: Float[np.ndarray, 'K P 3'],
    speed0_mps: Float[np.ndarray, ' K'],
    dt_s: float,
    wheelbase_m: float,
) -> tuple[Float[np.ndarray, 'K P'], Float[np.ndarray, 'K P']]:
    """Poses to the controls (steering, acceleration) whose forward roll-out passes through them.

    Exact for poses that a bicycle can reach.  It differentiates twice: for waypoints with noise
    use ``rollout.roll_out``.
    """
    previous = np.concatenate([np.zeros_like(poses[:, :1]), poses[:, :-1]], axis=1)
    delta = poses - previous
    turn = wrap(delta[..., 2])
    middle = previous[..., 2] + turn / 2
    chord = delta[..., 0] * np.cos(middle) + delta[..., 1] * np.sin(middle)
    step = np.maximum(chord / np.sinc(turn / (2 * np.pi)), 0.0)
    moving = step > AT_REST_M
    steering = np.arctan(wheelbase_m * turn / np.where(moving, step, 1.0))
    last = np.maximum.accumulate(np.where(moving, np.arange(step.shape[1]), -1), axis=1)
    held = np.take_along_axis(steering, np.maximum(last, 0), axis=1)
    return np.where(last >= 0, held, 0.0), _accelerations(step, speed0_mps, dt_s)


def _accelerations(
    step_m: Float[np.ndarray, 'K P'], speed0_mps: Float[np.ndarray, ' K'], dt_s: float
) -> Float[np.ndarray, 'K P']:
    """Accelerations that cover each step exactly, the speed before it known: v' = 2 s / dt - v."""
    sign = np.where(np.arange(step_m.shape[1]) % 2 == 0, 1.0, -1.0)
    alternating = np.cumsum(2 * step_m / dt_s * sign, axis=1) - speed0_mps[:, None]
    speed = np.maximum(alternating * sign, 0.0)
    before = np.concatenate([speed0_mps[:, None], speed[:, :-1]], axis=1)
    return np.asarray((speed - before) / dt_s)
