"""The reference a controller follows: the plan, cut at now, joined to what is being driven.

A plan is anchored at the pose of t0, and part of it lies in the past when it arrives.  Its
remainder is expressed at the present pose (not the plan re-anchored there: at 15 m/s and 0.6 s
that is 9 m).  Where it differs from the reference being driven the difference fades out
exponentially, so that steering does not jump; braking is taken over at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.plan import Plan, Source, sample, to_base, to_odom
from alpamayo_ros.types import EgoState, Trajectory

FADE_S = 0.3  # time constant of the join: three planning periods


@dataclass(frozen=True, slots=True)
class Reference:
    """What to follow from ``stamp_ns`` on, in base_link at ``anchor``; never outlives its plan.

    ``offset_m`` (lateral) and ``slower_mps`` (at most 0) faded from ``joined_ns`` on.
    """

    stamp_ns: int
    plan_id: int
    plan_t0_ns: int
    valid_until_ns: int
    source: Source
    anchor: EgoState
    trajectory: Trajectory
    joined_ns: int
    offset_m: float
    slower_mps: float


def splice(
    plan: Plan, driven: Reference | None, ego: EgoState, now_ns: int, limits: Limits
) -> Reference | Fault:
    """The reference at ``now_ns`` from ``plan``; ``driven`` is the previous reference, if any.

    ``ego`` is the pose at (or nearest to) ``now_ns``.  A plan that has expired gives PLAN_STALE,
    one that begins later than now PLAN_FUTURE (a clock that stepped back), an offset beyond the
    limit of a jump PLAN_JUMP: then nothing may be published.
    """
    if now_ns >= plan.valid_until_ns:
        return Fault(Code.PLAN_STALE, 'the plan to follow has expired', {'plan_id': plan.id})
    early_s = (plan.t0_ns - now_ns) * 1e-9
    if not early_s <= limits.clock_jitter_s:
        values: dict[str, float | str] = {'early_s': early_s, 'limit_s': limits.clock_jitter_s}
        return Fault(Code.PLAN_FUTURE, 'the plan to follow begins later than now', values)
    if driven is not None and now_ns < driven.joined_ns - limits.clock_jitter_s * 1e9:
        driven = None  # what was being driven belongs to another time
    joined, offset, slower = _join(plan, driven, now_ns)
    if not abs(offset) <= limits.jump_lateral_m:
        values = {'offset_m': offset, 'limit_m': limits.jump_lateral_m}
        return Fault(Code.PLAN_JUMP, 'the plan lies beside the one being driven', values)
    trajectory = _cut(plan, ego, now_ns, (joined, offset, slower))
    if trajectory is None:
        return Fault(Code.INTERNAL, 'the reference is not finite', {'plan_id': plan.id})
    return Reference(
        now_ns,
        plan.id,
        plan.t0_ns,
        plan.valid_until_ns,
        plan.source,
        ego,
        trajectory,
        joined,
        offset,
        slower,
    )


def _join(plan: Plan, driven: Reference | None, now_ns: int) -> tuple[int, float, float]:
    """Time, lateral offset and speed difference at which ``plan`` takes over from ``driven``."""
    if driven is None:
        return now_ns, 0.0, 0.0
    if driven.plan_id == plan.id:
        return driven.joined_ns, driven.offset_m, driven.slower_mps
    new = _at(plan.trajectory, plan.anchor, (now_ns - plan.t0_ns) * 1e-9)
    old = _at(driven.trajectory, driven.anchor, (now_ns - driven.stamp_ns) * 1e-9)
    dx, dy = old[0] - new[0], old[1] - new[1]
    across = dy * np.cos(new[2]) - dx * np.sin(new[2])
    return now_ns, float(across), float(min(old[3] - new[3], 0.0))


def _at(trajectory: Trajectory, anchor: EgoState, time_s: float) -> np.ndarray:
    """x, y, heading in odom and speed at one time after the trajectory's t0."""
    s = sample(trajectory, anchor, np.array([max(time_s, 0.0)]))
    pose = np.array([s['x_m'][0], s['y_m'][0], s['heading_rad'][0]])
    return np.append(to_odom(pose, anchor), s['speed_mps'][0])


def _cut(
    plan: Plan, ego: EgoState, now_ns: int, join: tuple[int, float, float]
) -> Trajectory | None:
    """What is left of the plan from now on, seen from ``ego``; None if not finite."""
    t, (joined, offset, slower) = plan.trajectory, join
    age = (now_ns - plan.t0_ns) * 1e-9
    count = max(int(np.floor(len(t.x_m) - age / t.dt_s + 1e-6)), 1)
    ahead = np.arange(1, count + 1) * t.dt_s
    left = sample(t, plan.anchor, age + ahead)
    fade = np.exp(-(max(now_ns - joined, 0) * 1e-9 + ahead) / FADE_S)
    heading = left['heading_rad']
    shifted = np.stack(
        [
            left['x_m'] - np.sin(heading) * offset * fade,
            left['y_m'] + np.cos(heading) * offset * fade,
            heading,
        ],
        axis=-1,
    )
    pose = to_base(to_odom(shifted, plan.anchor), ego)
    speed = np.maximum(left['speed_mps'] + slower * fade, 0.0)
    curvature = left['curvature_1pm']
    steering = np.interp(age + ahead, np.arange(1, len(t.x_m) + 1) * t.dt_s, t.steering_rad)
    columns = (*pose.T, speed, left['acceleration_mps2'], curvature, speed * curvature, steering)
    if not all(np.isfinite(np.float32(column)).all() for column in columns):
        return None  # as published, which is float32
    return Trajectory(now_ns, t.dt_s, *columns)
