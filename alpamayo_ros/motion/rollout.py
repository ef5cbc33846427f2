"""Raw diffusion waypoints to trajectories that the vehicle can drive.

The waypoints carry centimetres of noise, so nothing is differentiated before it is fitted:

1. *Along the path*: progress s(t) minimises  sum (s - z)^2 / sigma_s^2 + sum (s''' / sigma_j)^2
   from the ego's present speed; z is the raw progress.  A linear map of z, made once.
2. The speed profile is driven forward under the limits of speed, jerk, braking and *comfortable*
   acceleration (noise makes more of it), and stays at rest where the plan goes nowhere.
3. *Across it*: the curvature of each step minimises the distance to the raw points, the raw
   headings and the change of steering and lateral acceleration (Gauss-Newton, two steps).
4. Steering angle and rate, lateral acceleration and jerk are limited; where one bites, the rest
   of the path is steered back to the fitted one.

The result starts at the ego's own pose and speed at t0, whatever the waypoints say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.bicycle import integrate_path
from alpamayo_ros.motion.progress import SIGMA_POSITION_M, drive, fit_progress
from alpamayo_ros.motion.steering import SteeringBound
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import EgoState, Trajectory

SIGMA_HEADING_RAD = 0.05  # expected noise of a waypoint; below, typical sizes of what is penalised
SIGMA_STEER_RATE_RPS = 0.15
SIGMA_LATERAL_JERK_MPS3 = 1.5
KNOT_STEPS = 3  # curvature is linear over 0.3 s: a third of the unknowns, the same accuracy
FAR_M = 1e4  # a waypoint farther away than this is nonsense, and refused by its start
GUESS_STEPS, GUESS_M = 5, 1.0  # the first guess looks 0.5 s both ways; less than a metre is noise


@dataclass(frozen=True, slots=True)
class Rollout:
    """K feasible trajectories as (K, P) arrays, the fields of ``types.Trajectory``."""

    t0_ns: int
    dt_s: float
    poses: Float[np.ndarray, 'K P 3']
    speed_mps: Float[np.ndarray, 'K P']
    acceleration_mps2: Float[np.ndarray, 'K P']
    steering_rad: Float[np.ndarray, 'K P']
    curvature_1pm: Float[np.ndarray, 'K P']

    def trajectory(self, k: int) -> Trajectory:
        """Candidate ``k`` on its own."""
        x, y, heading = self.poses[k].T
        speed, curvature = self.speed_mps[k], self.curvature_1pm[k]
        return Trajectory(
            self.t0_ns,
            self.dt_s,
            x,
            y,
            heading,
            speed,
            self.acceleration_mps2[k],
            curvature,
            speed * curvature,
            self.steering_rad[k],
        )


def roll_out(
    candidates: Float[np.ndarray, 'K P 3'],
    ego: EgoState,
    vehicle: Vehicle,
    limits: Limits,
    speed_cap_mps: float,
    dt_s: float,
) -> Rollout:
    """The feasible trajectory nearest to each finite candidate; it may still break a check.

    Numbers that are not finite count as zero here; ``validate`` refuses them by the raw values.
    ``ego`` is the state at t0.  Above ``speed_cap_mps`` the car slows with the comfortable stop's
    deceleration and then keeps below it.
    """
    raw = np.clip(np.nan_to_num(candidates.astype(np.float64)), -FAR_M, FAR_M)
    raw[..., 2] = np.unwrap(raw[..., 2], axis=1)
    speed0 = max(ego.speed_mps, 0.0)
    wanted = fit_progress(raw, speed0, dt_s)
    speed, step = drive(wanted, speed0, limits, speed_cap_mps, dt_s)
    target = _at_progress(raw, wanted, np.cumsum(step, axis=1))
    steering0 = _present_steering(ego, vehicle)
    fitted = _fit_curvature(target, step, speed, steering0, vehicle.wheelbase_m, dt_s)
    bound = SteeringBound(vehicle, limits, steering0, speed0, dt_s)
    curvature = bound.apply(fitted, speed, step)
    before = np.concatenate([np.full((len(raw), 1), speed0), speed[:, :-1]], axis=1)
    return Rollout(
        ego.stamp_ns,
        dt_s,
        integrate_path(curvature, step),
        speed,
        (speed - before) / dt_s,
        np.arctan(vehicle.wheelbase_m * curvature),
        curvature,
    )


def _present_steering(ego: EgoState, vehicle: Vehicle) -> float:
    """Measured steering, else the one that explains the yaw rate, else NaN (unknown)."""
    if np.isfinite(ego.steering_rad):
        return float(ego.steering_rad)
    if ego.speed_mps > 1.0 and np.isfinite(ego.yaw_rate_rps):
        return float(np.arctan(vehicle.wheelbase_m * ego.yaw_rate_rps / ego.speed_mps))
    return float('nan')


def _at_progress(
    raw: Float[np.ndarray, 'K P 3'],
    wanted_m: Float[np.ndarray, 'K P'],
    progress_m: Float[np.ndarray, 'K P'],
) -> Float[np.ndarray, 'K P 3']:
    """Raw poses where the driven progress is, not when: a slower car keeps the path."""
    out = np.empty_like(raw)
    for k, (pose, wanted, progress) in enumerate(zip(raw, wanted_m, progress_m, strict=True)):
        knots = np.concatenate([[0.0], wanted])
        for column in range(3):
            values = np.concatenate([[0.0], pose[:, column]])
            out[k, :, column] = np.interp(progress, knots, values)
    return out


def _fit_curvature(
    target: Float[np.ndarray, 'K P 3'],
    step: Float[np.ndarray, 'K P'],
    speed: Float[np.ndarray, 'K P'],
    steering0: float,
    wheelbase: float,
    dt_s: float,
) -> Float[np.ndarray, 'K P']:
    """Curvature of each step (item 3 of the module's docstring), linear between knots."""
    k, p = step.shape
    basis, change = _curvature_basis(p)
    start = 0.0 if np.isnan(steering0) else np.tan(steering0) / wheelbase
    rate = wheelbase / (SIGMA_STEER_RATE_RPS * dt_s)
    weight = rate**2 + (speed**2 / (SIGMA_LATERAL_JERK_MPS3 * dt_s)) ** 2
    if np.isnan(steering0):
        weight[:, 0] = 1e-3  # nothing is known about the first
    change_basis = change @ basis
    weighted = change_basis.T[None] * weight[:, None, :]
    smooth = weighted @ change_basis + 1e-6 * np.eye(basis.shape[1])
    turn_by = np.cumsum(step[..., None] * basis, axis=1)  # d heading_i / d knot_m
    curvature = _first_guess(target, step)
    for _ in range(2):
        pose = integrate_path(curvature, step)
        error = target - pose
        cos, sin = np.cos(pose[..., 2]), np.sin(pose[..., 2])
        across = error[..., 1] * cos - error[..., 0] * sin
        move_by = _across_by(pose, step, basis, turn_by, cos, sin)
        rows = np.concatenate([move_by / SIGMA_POSITION_M, turn_by / SIGMA_HEADING_RAD], axis=1)
        misses = np.concatenate([across / SIGMA_POSITION_M, error[..., 2] / SIGMA_HEADING_RAD], 1)
        bend = curvature @ change.T
        bend[:, 0] -= start
        transposed = np.swapaxes(rows, 1, 2)
        gradient = transposed @ misses[..., None] - weighted @ bend[..., None]
        knots = np.linalg.solve(smooth + transposed @ rows, gradient)[..., 0]
        curvature = curvature + knots @ basis.T
    return curvature


def _first_guess(
    target: Float[np.ndarray, 'K P 3'], step: Float[np.ndarray, 'K P']
) -> Float[np.ndarray, 'K P']:
    """Curvature of the target's headings over a second, towards 0 where it hardly moves.

    Two Gauss-Newton steps must start near the solution: from the present steering held, the end
    of a plan that leaves a bend of 10 m at full speed lies 180 degrees off, and they diverge.
    """
    p = step.shape[1]
    basis, _ = _curvature_basis(p)
    at = basis.argmax(axis=0)
    low, high = np.maximum(at - GUESS_STEPS, 0), np.minimum(at + 1 + GUESS_STEPS, p)
    origin = np.zeros((len(step), 1))
    heading = np.concatenate([origin, target[..., 2]], axis=1)
    progress = np.concatenate([origin, np.cumsum(step, axis=1)], axis=1)
    turn, way = heading[:, high] - heading[:, low], progress[:, high] - progress[:, low]
    return np.asarray(turn * way / (way**2 + GUESS_M**2) @ basis.T)


@lru_cache(maxsize=8)
def _curvature_basis(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Linear interpolation between knots KNOT_STEPS apart (P, M), and the step-to-step change."""
    at = np.unique(np.append(np.arange(0, points, KNOT_STEPS), points - 1))
    basis = np.stack([np.interp(np.arange(points), at, row) for row in np.eye(len(at))], axis=1)
    return basis, np.eye(points) - np.eye(points, k=-1)


def _across_by(
    pose: Float[np.ndarray, 'K P 3'],
    step: Float[np.ndarray, 'K P'],
    basis: Float[np.ndarray, 'P M'],
    turn_by: Float[np.ndarray, 'K P M'],
    cos: Float[np.ndarray, 'K P'],
    sin: Float[np.ndarray, 'K P'],
) -> Float[np.ndarray, 'K P M']:
    """d across_i / d knot_m: a turn in step j moves point i by tangent_i . (p_i - p_j)."""
    xy = pose[..., :2]
    middle = (xy + np.concatenate([np.zeros_like(xy[:, :1]), xy[:, :-1]], axis=1)) / 2
    lever_x = np.cumsum((step * middle[..., 0])[..., None] * basis, axis=1)
    lever_y = np.cumsum((step * middle[..., 1])[..., None] * basis, axis=1)
    along = pose[..., 0] * cos + pose[..., 1] * sin
    arm = along[..., None] * turn_by
    arm -= cos[..., None] * lever_x
    arm -= sin[..., None] * lever_y
    return np.asarray(arm)
