"""A plan as Autoware follows it: points in ``map`` that begin where the car was at t0.  Pure.

Our plans begin one step after t0, in base_link as it stood then.  Autoware's validator measures
the first point against the car, and its controllers interpolate from it, so the state of t0 is
the first point, at time 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

SLOW_MPS = 0.3  # below, a path of float32 points gives no steering; the wheel is told straight


@dataclass(frozen=True, slots=True)
class Points:
    """One array a quantity, as autoware_planning_msgs/TrajectoryPoint has them.

    ``time_s`` after t0, strictly increasing; position [m] and heading [rad] in the frame of the
    path; speed [m/s], acceleration [m/s2], yaw rate [rad/s], tyre steering [rad], left positive.
    """

    time_s: Float[np.ndarray, 'N']
    x_m: Float[np.ndarray, 'N']
    y_m: Float[np.ndarray, 'N']
    heading_rad: Float[np.ndarray, 'N']
    speed_mps: Float[np.ndarray, 'N']
    acceleration_mps2: Float[np.ndarray, 'N']
    yaw_rate_rps: Float[np.ndarray, 'N']
    steering_rad: Float[np.ndarray, 'N']

    def __post_init__(self) -> None:
        """Every column has one value a point and is finite; times increase."""
        columns = [np.asarray(getattr(self, f.name), float) for f in fields(self)]
        lengths = {len(column) for column in columns}
        if len(lengths) != 1 or lengths == {0}:
            raise ValueError(f'expected columns of one length above 0, got {sorted(lengths)}')
        if not all(np.isfinite(column).all() for column in columns):
            raise ValueError('expected finite numbers in every column of a path')
        if not bool((np.diff(self.time_s) > 0).all()):
            raise ValueError('expected times that strictly increase')


def from_columns(message: object) -> Points:
    """The columns of a PlannedTrajectory, in base_link of its t0; ValueError where it is unfit."""
    names = {'time_s': 'time_from_start_s'}
    read = {
        f.name: np.array(getattr(message, names.get(f.name, f.name)), float)
        for f in fields(Points)
    }
    return Points(**read)


def from_path(
    dt_s: float,
    x_m: Float[np.ndarray, 'N'],
    y_m: Float[np.ndarray, 'N'],
    heading_rad: Float[np.ndarray, 'N'],
    speed_mps: Float[np.ndarray, 'N'],
    wheelbase_m: float,
) -> Points:
    """Points of a candidate, of which only poses and speeds are known; the rest follows.

    Differences over one step give acceleration and yaw rate, the bicycle gives the steering.
    """
    count = len(x_m)
    if len({len(y_m), len(heading_rad), len(speed_mps), count}) != 1 or count < 2:
        raise ValueError(f'expected at least two points of one length, got {count} in x')
    turn = np.diff(np.unwrap(heading_rad)) / dt_s
    turn = np.concatenate([turn[:1], turn])
    pull = np.diff(speed_mps) / dt_s
    pull = np.concatenate([pull[:1], pull])
    moving = np.abs(speed_mps) > SLOW_MPS
    bend = np.where(moving, turn / np.where(moving, speed_mps, 1.0), 0.0)
    times = np.arange(1, count + 1) * dt_s
    steering = np.arctan(wheelbase_m * bend)
    return Points(times, x_m, y_m, heading_rad, speed_mps, pull, turn, steering)


def with_start(points: Points) -> Points:
    """The state of t0 before the first point: the origin, at the speed that the plan began with.

    Acceleration, yaw rate and steering are those of the first step.
    """
    first_s = float(points.time_s[0])
    speed = float(points.speed_mps[0] - points.acceleration_mps2[0] * first_s)
    if points.speed_mps[0] >= 0:
        speed = max(0.0, speed)
    start = {'time_s': 0.0, 'x_m': 0.0, 'y_m': 0.0, 'heading_rad': 0.0, 'speed_mps': speed}
    columns = {}
    for f in fields(Points):
        column = getattr(points, f.name)
        columns[f.name] = np.concatenate([[start.get(f.name, float(column[0]))], column])
    return Points(**columns)


def in_map(points: Points, x_m: float, y_m: float, heading_rad: float) -> Points:
    """Points of base_link, whose pose in the map is given, in the map."""
    cos, sin = math.cos(heading_rad), math.sin(heading_rad)
    columns = {f.name: getattr(points, f.name) for f in fields(Points)}
    columns['x_m'] = x_m + cos * points.x_m - sin * points.y_m
    columns['y_m'] = y_m + sin * points.x_m + cos * points.y_m
    columns['heading_rad'] = heading_rad + points.heading_rad
    return Points(**columns)
