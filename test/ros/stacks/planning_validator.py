"""The checks of Autoware's planning_validator, written out with its limits (not a test)."""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.bridges.autoware.points import Points

LATENCY_S = 1.0
INTERVAL_M = 100.0
TURN_RAD = 2.0
BEND_1PM = 1.0
LATERAL_MPS2 = 9.8
PULL_MPS2 = 9.8
STEER_RAD, STEER_RPS = 1.414, 10.0
SPEED_OFF_MPS, OFF_M, ALONG_OFF_M, YAW_OFF_RAD = 100.0, 100.0, 1.0, math.pi / 2
SHIFT_SIDE_M, SHIFT_FORWARD_M, SHIFT_BACK_M = 0.5, 1.0, 0.1
JERK_MPS3 = 7.0
STOP_MPS2, STOP_MARGIN_M = 5.0, 2.0
APART_M = 0.1  # closer points are one for what is measured between points


def faults(
    points: Points,
    age_s: float,
    ego: tuple[float, float, float, float],
    before: Points | None,
    wheelbase_m: float,
) -> list[str]:
    """Names of the checks that refuse a trajectory.

    ``ego``: x, y [m], heading [rad] in the map and speed [m/s], now; ``before``: the trajectory of
    the cycle before.
    """
    x, y, speed = points.x_m, points.y_m, points.speed_mps
    found = {'latency': 0.0 <= age_s <= LATENCY_S, 'size': len(x) >= 2}
    columns = (x, y, points.heading_rad, speed, points.acceleration_mps2, points.steering_rad)
    found['finite'] = all(bool(np.isfinite(c).all()) for c in columns)
    found['times'] = points.time_s[0] == 0.0 and bool((np.diff(points.time_s) > 0).all())
    found |= _shape(points, wheelbase_m) | _from_car(points, ego)
    if before is not None:
        found |= _shift(points, before)
    return sorted(name for name, ok in found.items() if not ok)


def _shape(points: Points, wheelbase_m: float) -> dict[str, bool]:
    """What is measured along one trajectory."""
    kept = [0]
    for i in range(1, len(points.x_m)):
        step = (points.x_m[i] - points.x_m[kept[-1]], points.y_m[i] - points.y_m[kept[-1]])
        if math.hypot(*step) >= APART_M:
            kept.append(i)
    x, y, speed = points.x_m[kept], points.y_m[kept], points.speed_mps[kept]
    step = np.hypot(np.diff(x), np.diff(y))
    out = {'interval': bool((step <= INTERVAL_M).all())}
    pull = points.acceleration_mps2
    out['longitudinal acceleration'] = bool((np.abs(pull) <= PULL_MPS2).all())
    out['steering'] = bool((np.abs(points.steering_rad) <= STEER_RAD).all())
    rate = np.abs(np.diff(points.steering_rad)) / np.diff(points.time_s)
    out['steering rate'] = bool((rate <= STEER_RPS).all())
    if len(kept) < 3:
        return out
    heading = np.unwrap(np.arctan2(np.diff(y), np.diff(x)))
    turn = np.diff(heading)
    bend = turn / ((step[:-1] + step[1:]) / 2)
    side = speed[1:-1] ** 2 * bend
    out['relative angle'] = bool((np.abs(turn) <= TURN_RAD).all())
    out['curvature'] = bool((np.abs(bend) <= BEND_1PM).all())
    out['lateral acceleration'] = bool((np.abs(side) <= LATERAL_MPS2).all())
    rolled = points.speed_mps**2 * np.tan(points.steering_rad) / wheelbase_m
    jerk = np.abs(np.diff(rolled)) / np.diff(points.time_s)
    out['lateral jerk'] = bool((jerk <= JERK_MPS3).all())
    return out


def _from_car(points: Points, ego: tuple[float, float, float, float]) -> dict[str, bool]:
    """The trajectory against the car."""
    x, y, heading, speed = ego
    far = np.hypot(points.x_m - x, points.y_m - y)
    near = int(far.argmin())
    cos, sin = math.cos(points.heading_rad[near]), math.sin(points.heading_rad[near])
    ahead = cos * (points.x_m[0] - x) + sin * (points.y_m[0] - y)
    length = float(np.hypot(np.diff(points.x_m[near:]), np.diff(points.y_m[near:])).sum())
    needed = speed**2 / (2 * STOP_MPS2) - STOP_MARGIN_M
    return {
        'begins behind the car': bool(ahead <= 1e-3),
        'velocity deviation': bool(abs(points.speed_mps[near] - speed) <= SPEED_OFF_MPS),
        'distance deviation': bool(far[near] <= OFF_M),
        'longitudinal deviation': bool(ahead <= ALONG_OFF_M),
        'yaw deviation': bool(
            abs(math.remainder(points.heading_rad[near] - heading, math.tau)) <= YAW_OFF_RAD
        ),
        'forward length': bool(length >= needed),
    }


def _shift(points: Points, before: Points) -> dict[str, bool]:
    """The first point against the trajectory before it: beside it, or before its begin."""
    far = np.hypot(before.x_m - points.x_m[0], before.y_m - points.y_m[0])
    near = int(far.argmin())
    heading = before.heading_rad[near]
    dx, dy = points.x_m[0] - before.x_m[near], points.y_m[0] - before.y_m[near]
    side = -math.sin(heading) * dx + math.cos(heading) * dy
    along = math.cos(before.heading_rad[0]) * (points.x_m[0] - before.x_m[0]) + math.sin(
        before.heading_rad[0]
    ) * (points.y_m[0] - before.y_m[0])
    beyond = 0.0 if near < len(far) - 1 else far[near]
    return {
        'lateral shift': bool(abs(side) <= SHIFT_SIDE_M),
        'forward shift': bool(beyond <= SHIFT_FORWARD_M),
        'backward shift': bool(along >= -SHIFT_BACK_M),
    }
