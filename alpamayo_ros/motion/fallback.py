"""The stop along the last valid path.

    a(t) = min(the plan's own a(t), stop profile),   stop profile: -1.0 m/s2 reached at 0.3 m/s3

so a plan that was already braking harder is never softened.  Acceleration that the plan still had
is first released at 1.5 m/s3.  When the ego's motion is lost as well, the stop escalates to
-2.5 m/s2 at 1.5 m/s3.  The car follows the plan's path and, where that ends, its last curvature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.bicycle import integrate_path, integrate_speed
from alpamayo_ros.motion.plan import Plan, sample, to_base, to_odom
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import EgoState, Trajectory

BEYOND_M = 100.0  # length of the constant-curvature continuation: a stop from 14 m/s at 1 m/s2
RECKON_S = 60.0  # after so long every stop has ended: dead reckoning goes no farther
INSIDE = 0.95  # of the limits: a circle that keeps them while it is being driven


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop being driven: its path in odom by arc length, the plan's own braking, and its start.

    ``path``: x, y, heading at ``arc_m``; ``own_mps2`` at ``own_ns``; the profile starts at
    ``began_ns``, the harder one at ``hard_ns`` (None while comfortable).
    """

    path: Float[np.ndarray, 'M 3']
    arc_m: Float[np.ndarray, ' M']
    curvature_1pm: Float[np.ndarray, ' M']
    own_ns: Int[np.ndarray, ' P']
    own_mps2: Float[np.ndarray, ' P']
    began_ns: int
    hard_ns: int | None = None


def begin(plan: Plan | None, ego: EgoState, now_ns: int, vehicle: Vehicle, limits: Limits) -> Stop:
    """The stop along ``plan``, from the end of its validity, or from now if that is past.

    Without a plan the path is the ego's present circle (``circle``).
    """
    if plan is None:
        path, arc, curvature = circle(ego, vehicle, limits)
        own_ns, own = np.array([now_ns], np.int64), np.zeros(1)
        began = now_ns
    else:
        t = plan.trajectory
        here = to_odom(np.zeros((1, 3)), plan.anchor)
        poses = np.concatenate([here, plan.poses_in_odom()])
        legs = np.hypot(np.diff(poses[:, 0]), np.diff(poses[:, 1]))
        curvature = np.concatenate([t.curvature_1pm[:1], t.curvature_1pm])
        path, arc, curvature = _continue(poses, np.append(0.0, np.cumsum(legs)), curvature)
        # ``a[i]`` acts during the step that ends at point i
        own_ns = plan.t0_ns + _offsets_ns(len(t.x_m), t.dt_s)
        own, began = np.asarray(t.acceleration_mps2, np.float64), max(plan.valid_until_ns, now_ns)
    return Stop(path, arc, curvature, own_ns, own, began)


def circle(
    ego: EgoState, vehicle: Vehicle, limits: Limits
) -> tuple[Float[np.ndarray, 'N 3'], Float[np.ndarray, ' N'], Float[np.ndarray, ' N']]:
    """Path, arc length and curvature of going on as the car turns now, within the limits.

        curvature = tan(steering) / wheelbase, or yaw rate / speed where the steering is unknown

    bounded by curvature, by what the front wheels can do, and by v^2 k = lateral acceleration.
    """
    speed = max(ego.speed_mps, 0.0)
    bend = ego.yaw_rate_rps / speed if speed > 1.0 else 0.0
    if np.isfinite(ego.steering_rad):
        bend = float(np.tan(ego.steering_rad)) / vehicle.wheelbase_m
    steering = min(limits.steering_rad, vehicle.steer_max_rad)
    most = min(
        limits.curvature_1pm,
        float(np.tan(steering)) / vehicle.wheelbase_m,
        limits.lateral_acceleration_mps2 / max(speed, 1e-3) / max(speed, 1e-3),
    )
    bend = float(np.clip(bend, -INSIDE * most, INSIDE * most))
    start = np.array([[ego.x_m, ego.y_m, ego.heading_rad]])
    return _continue(start, np.zeros(1), np.array([bend]))


def on_the_circle(stop: Stop, ego: EgoState, vehicle: Vehicle, limits: Limits) -> Stop:
    """The same braking, on the ego's present circle: where the stop's path cannot be driven."""
    path, arc, curvature = circle(ego, vehicle, limits)
    return replace(stop, path=path, arc_m=arc, curvature_1pm=curvature)


def escalate(stop: Stop, now_ns: int) -> Stop:
    """The same stop, braking harder from ``now_ns`` on; once escalated it stays so."""
    return stop if stop.hard_ns is not None else replace(stop, hard_ns=now_ns)


def stop_acceleration(
    stop: Stop, time_ns: Int[np.ndarray, ' T'], limits: Limits
) -> Float[np.ndarray, ' T']:
    """Acceleration [m/s2] that the stop wants at absolute times, whatever the speed."""
    own = _held(stop, time_ns)
    tau = np.maximum((time_ns - stop.began_ns) * 1e-9, 0.0)
    start = max(float(_held(stop, np.array([stop.began_ns]))[0]), 0.0)
    release = start / limits.hard_stop_jerk_mps3
    braking = np.maximum(tau - release, 0.0) * limits.stop_jerk_mps3
    profile = np.where(
        tau < release,
        start - limits.hard_stop_jerk_mps3 * tau,
        -np.minimum(braking, limits.stop_deceleration_mps2),
    )
    wanted = np.where(time_ns < stop.began_ns, own, np.minimum(own, profile))
    if stop.hard_ns is None:
        return np.asarray(wanted)
    late = np.maximum((time_ns - stop.hard_ns) * 1e-9, 0.0)
    at_hard = stop_acceleration(replace(stop, hard_ns=None), np.array([stop.hard_ns]), limits)
    hard = np.maximum(
        at_hard[0] - limits.hard_stop_jerk_mps3 * late, -limits.hard_stop_deceleration_mps2
    )
    return np.asarray(np.where(time_ns < stop.hard_ns, wanted, np.minimum(wanted, hard)))


def rise_mps(stop: Stop, from_ns: int, limits: Limits) -> float:
    """By how much [m/s] a stop may still get faster: the plan's own acceleration until released.

    most own acceleration * time to the end of the plan + a^2 / (2 * release jerk)
    """
    left_s = max((stop.began_ns - from_ns) * 1e-9, 0.0)
    during = (stop.own_ns <= stop.began_ns) & (stop.own_ns >= from_ns)
    held = _held(stop, np.array([from_ns, stop.began_ns]))
    most = max(0.0, *held.tolist(), *stop.own_mps2[during].tolist())
    release_mps = max(float(held[1]), 0.0) ** 2 / (2 * limits.hard_stop_jerk_mps3)
    return float(most * left_s + release_mps)


def stop_trajectory(
    stop: Stop, ego: EgoState, vehicle: Vehicle, limits: Limits, points: int, dt_s: float
) -> Trajectory:
    """The rest of the stop, seen from ``ego``: its point nearest on the path, its own speed.

    It pulls no harder than the limits allow now, whatever the plan was allowed.
    """
    speed0 = max(ego.speed_mps, 0.0)
    start_ns = ego.stamp_ns + _offsets_ns(points, dt_s)
    wanted = stop_acceleration(stop, start_ns, limits)
    wanted = np.minimum(wanted, limits.acceleration_mps2)
    if speed0 < limits.rest_speed_mps:
        wanted, speed0 = np.minimum(wanted, 0.0), 0.0
    speed = integrate_speed(wanted[None], np.array([speed0]), dt_s)[0]
    before = np.append(speed0, speed[:-1])
    along = nearest_arc(stop, ego) + np.cumsum((before + speed) / 2 * dt_s)
    heading = np.interp(along, stop.arc_m, np.unwrap(stop.path[:, 2]))
    x = np.interp(along, stop.arc_m, stop.path[:, 0])
    y = np.interp(along, stop.arc_m, stop.path[:, 1])
    pose = to_base(np.stack([x, y, heading], axis=-1), ego)
    curvature = np.interp(along, stop.arc_m, stop.curvature_1pm)
    return Trajectory(
        ego.stamp_ns,
        dt_s,
        pose[:, 0],
        pose[:, 1],
        pose[:, 2],
        speed,
        np.where(speed > 0.0, wanted, (speed - before) / dt_s),  # the same but for rounding
        curvature,
        speed * curvature,
        np.arctan(vehicle.wheelbase_m * curvature),
    )


def at_rest(trajectory: Trajectory, limits: Limits) -> bool:
    """Whether the car stands over the whole horizon."""
    return bool((np.abs(trajectory.speed_mps) <= limits.rest_speed_mps).all())


def dead_reckon(
    stop: Stop, ego: EgoState, vehicle: Vehicle, limits: Limits, now_ns: int
) -> EgoState:
    """Where the ego should be at ``now_ns`` if it follows the stop since its last known state.

    Looks at most ``RECKON_S`` ahead: by then it stands.
    """
    if now_ns <= ego.stamp_ns:
        return ego
    late = min((now_ns - ego.stamp_ns) * 1e-9, RECKON_S)
    points = int(np.ceil(late / 0.1)) + 1
    path = stop_trajectory(stop, ego, vehicle, limits, points, 0.1)
    at = {name: float(v[0]) for name, v in sample(path, ego, np.array([late])).items()}
    pose = to_odom(np.array([at['x_m'], at['y_m'], at['heading_rad']]), ego)
    speed = at['speed_mps']
    return EgoState(
        now_ns,
        float(pose[0]),
        float(pose[1]),
        float(pose[2]),
        speed,
        speed * at['curvature_1pm'],
        at['acceleration_mps2'],
    )


def nearest_arc(stop: Stop, ego: EgoState) -> float:
    """Arc length [m] of the path's point nearest to the ego."""
    knots = stop.path[:, :2]
    leg = np.diff(knots, axis=0)
    to_ego = np.array([ego.x_m, ego.y_m]) - knots[:-1]
    square = np.maximum((leg**2).sum(-1), 1e-12)
    share = np.clip((to_ego * leg).sum(-1) / square, 0.0, 1.0)
    gap = ((to_ego - share[:, None] * leg) ** 2).sum(-1)
    i = int(np.argmin(gap))
    return float(stop.arc_m[i] + share[i] * (stop.arc_m[i + 1] - stop.arc_m[i]))


def _offsets_ns(points: int, dt_s: float) -> Int[np.ndarray, ' P']:
    """When each step begins [ns]; whole numbers, as stamps of today have more than 53 bits."""
    return np.arange(points, dtype=np.int64) * round(dt_s * 1e9)


def _held(stop: Stop, time_ns: Int[np.ndarray, ' T']) -> Float[np.ndarray, ' T']:
    """The plan's own acceleration, held over each step and after its end."""
    index = np.searchsorted(stop.own_ns, time_ns, side='right') - 1
    return np.asarray(stop.own_mps2[np.clip(index, 0, len(stop.own_mps2) - 1)])


def _continue(
    poses: Float[np.ndarray, 'M 3'],
    arc_m: Float[np.ndarray, ' M'],
    curvature_1pm: Float[np.ndarray, ' M'],
) -> tuple[Float[np.ndarray, 'N 3'], Float[np.ndarray, ' N'], Float[np.ndarray, ' N']]:
    """The path with ``BEYOND_M`` of its last curvature appended; arc length strictly increases."""
    moving = np.append(True, np.diff(arc_m) > 1e-6)
    poses, arc_m, curvature_1pm = poses[moving], arc_m[moving], curvature_1pm[moving]
    last = float(curvature_1pm[-1])
    steps = np.ones((1, int(BEYOND_M)))
    end = EgoState(0, float(poses[-1, 0]), float(poses[-1, 1]), float(poses[-1, 2]), 0.0)
    more = to_odom(integrate_path(steps * last, steps)[0], end)
    path = np.concatenate([poses, more])
    path[:, 2] = np.unwrap(path[:, 2])
    arc = np.append(arc_m, arc_m[-1] + np.cumsum(steps[0]))
    return path, arc, np.append(curvature_1pm, steps[0] * last)
