"""Drives with known truth, for the tests of motion and safety (not a test itself)."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.limits import load_limits
from alpamayo_ros.motion.bicycle import forward
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import EgoState, Proposal

K, P, DT = 8, 60, 0.1
LIMITS, VEHICLE = load_limits(), load_rig('sim').vehicle
TIME = np.arange(1, P + 1) * DT
SECOND = 1_000_000_000


def steps(value):
    """A control of P steps from a number or an array."""
    return np.broadcast_to(np.asarray(value, float), (P,)).copy()


def ego(speed=8.0, t0_ns=0, curvature=0.0, x=0.0, y=0.0, heading=0.0):
    """Ego state on a circle of the given curvature, steering known."""
    steering = float(np.arctan(VEHICLE.wheelbase_m * curvature))
    return EgoState(t0_ns, x, y, heading, speed, speed * curvature, 0.0, steering)


def truth(speed=8.0, acceleration=0.0, curvature=0.0):
    """Poses (P, 3) and speeds (P) of a drive."""
    steering = np.arctan(VEHICLE.wheelbase_m * steps(curvature))
    poses, v = forward(
        steering[None], steps(acceleration)[None], np.array([float(speed)]), DT, 2.7
    )
    return poses[0], v[0]


def noisy(poses, sigma_m=0.03, seed=0, k=K):
    """K copies of a drive with noise on every waypoint, as a model gives them."""
    rng = np.random.default_rng(seed)
    scale = [sigma_m, sigma_m, 0.7 * sigma_m]
    return (poses[None] + rng.normal(size=(k, *poses.shape)) * scale).astype(np.float32)


def rollout(speed=8.0, acceleration=0.0, curvature=0.0, t0_ns=0):
    """A Rollout of one candidate that simply is the drive, no limit applied."""
    poses, v = truth(speed, acceleration, curvature)
    a = np.diff(np.concatenate([[speed], v])) / DT
    bend = steps(curvature)
    steering = np.arctan(VEHICLE.wheelbase_m * bend)
    arrays = (x[None] for x in (poses, v, a, steering, bend))
    return Rollout(t0_ns, DT, *arrays)


def plan(speed=8.0, acceleration=0.0, curvature=0.0, t0_ns=0, number=1, source='model', **where):
    """A plan that is the drive, anchored at the ego of t0."""
    start = ego(speed, t0_ns, 0.0, **where)
    path = rollout(speed, acceleration, curvature, t0_ns).trajectory(0)
    return Plan(number, t0_ns, start, path, t0_ns + SECOND // 2, source, 10.0)


def proposal(poses, t0_ns=0, sigma_m=0.02, seed=0):
    """A proposal of K noisy copies."""
    return Proposal(t0_ns, noisy(poses, sigma_m, seed), 'perception: a road')
