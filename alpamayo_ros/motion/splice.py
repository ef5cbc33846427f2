"""The reference a controller follows: the plan, cut at now, joined to what is being driven.

A plan is anchored at the pose of t0, and part of it lies in the past when it arrives.  Its
remainder is expressed at the present pose (not the plan re-anchored there: at 15 m/s and 0.6 s
that is 9 m).  It begins with the place, direction, curvature and change of curvature of the
reference being driven and fades to the plan (``join``), so that the steering does not step;
braking is taken over at once.
The result is checked again (``reference_check``) and never outlives its plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.join import FADES_S, NO_JOIN, Join, Place, join_at, place
from alpamayo_ros.motion.plan import Plan, Source, to_base, to_odom
from alpamayo_ros.motion.reference_check import check_reference
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import EgoState, Trajectory


@dataclass(frozen=True, slots=True)
class Reference:
    """What to follow from ``stamp_ns`` on, in base_link at ``anchor``; never outlives its plan."""

    stamp_ns: int
    plan: Plan
    anchor: EgoState
    trajectory: Trajectory
    join: Join

    @property
    def valid_until_ns(self) -> int:
        """The plan's own: a reference never renews it."""
        return self.plan.valid_until_ns

    @property
    def source(self) -> Source:
        """The plan's own."""
        return self.plan.source


def splice(
    plan: Plan,
    driven: Reference | None,
    ego: EgoState,
    now_ns: int,
    vehicle: Vehicle,
    limits: Limits,
) -> Reference | Fault:
    """The reference at ``now_ns`` from ``plan``; ``driven`` is the previous reference, if any.

    ``ego`` is the newest known state; the reference is anchored where it will be at ``now_ns``.  A
    plan that has expired gives PLAN_STALE, one that begins later than now PLAN_FUTURE (a clock
    that stepped back), an offset beyond the limit of a jump PLAN_JUMP, a reference that breaks a
    limit PLAN_REJECTED, one that is not finite INTERNAL: then nothing may be published.
    """
    refusal = _untimely(plan, now_ns, limits)
    if refusal is not None:
        return refusal
    if driven is not None and now_ns < driven.join.joined_ns - limits.clock_jitter_s * 1e9:
        driven = None  # what was being driven belongs to another time
    if driven is not None and driven.plan.id == plan.id:
        return _made(plan, driven.join, ego, now_ns, vehicle, limits)
    if driven is None:
        return _made(plan, replace(NO_JOIN, joined_ns=now_ns), ego, now_ns, vehicle, limits)
    found: Reference | Fault | None = None
    for fade_s in FADES_S:  # the shortest that keeps the limits
        join = join_at(plan, (driven.plan, driven.join), now_ns, fade_s)
        jump = _jump(join, limits)
        if jump is not None:
            return jump
        found = _made(plan, join, ego, now_ns, vehicle, limits)
        if isinstance(found, Reference):
            break
    assert found is not None  # there are fades to try
    return found


def _untimely(plan: Plan, now_ns: int, limits: Limits) -> Fault | None:
    """Why a plan may not be followed at ``now_ns``."""
    if now_ns >= plan.valid_until_ns:
        return Fault(Code.PLAN_STALE, 'the plan to follow has expired', {'plan_id': plan.id})
    early_s = (plan.t0_ns - now_ns) * 1e-9
    if not early_s <= limits.clock_jitter_s:
        values: dict[str, float | str] = {'early_s': early_s, 'limit_s': limits.clock_jitter_s}
        return Fault(Code.PLAN_FUTURE, 'the plan to follow begins later than now', values)
    return None


def _jump(join: Join, limits: Limits) -> Fault | None:
    """PLAN_JUMP where a plan lies too far aside of the one being driven, or points elsewhere."""
    if not abs(join.offset_m) <= limits.jump_lateral_m:
        values: dict[str, float | str] = {'offset_m': join.offset_m}
        values['limit_m'] = limits.jump_lateral_m
        return Fault(Code.PLAN_JUMP, 'the plan lies beside the one being driven', values)
    if not abs(join.turn_rad) <= limits.start_yaw_rad:
        values = {'turn_rad': join.turn_rad, 'limit_rad': limits.start_yaw_rad}
        return Fault(Code.PLAN_JUMP, 'the plan points elsewhere than the one being driven', values)
    return None


def _made(
    plan: Plan, join: Join, ego: EgoState, now_ns: int, vehicle: Vehicle, limits: Limits
) -> Reference | Fault:
    """What is left of the plan from now on, checked; PLAN_REJECTED names what it would break."""
    anchor = predicted(ego, now_ns, limits)
    trajectory = _cut(plan, join, anchor, now_ns, vehicle)
    expected = place(plan, join, max(ego.stamp_ns, plan.t0_ns))
    start = float(np.hypot(expected.x_m - ego.x_m, expected.y_m - ego.y_m))
    turned = float(np.abs(np.remainder(expected.heading_rad - ego.heading_rad + np.pi, 2 * np.pi)))
    cap_mps = max(plan.speed_cap_mps, plan.anchor.speed_mps)
    checks = check_reference(trajectory, anchor, (start, abs(turned - np.pi)), cap_mps, limits)
    if checks.ok[0]:
        return Reference(now_ns, plan, anchor, trajectory, join)
    broken = [c for c in checks.of(0) if not c.ok]
    if any(c.name == 'not_finite' for c in broken):
        return Fault(Code.INTERNAL, 'the reference is not finite', {'plan_id': plan.id})
    words = ', '.join(f'{c.name} {c.value:.3g} (limit {c.limit:.3g})' for c in broken)
    values: dict[str, float | str] = {c.name: c.value for c in broken}
    return Fault(Code.PLAN_REJECTED, f'the reference would break {words}.', values)


def predicted(ego: EgoState, now_ns: int, limits: Limits) -> EgoState:
    """Where ``ego`` is at ``now_ns``, going on as it moves; at most ``odometry_gap_s`` ahead."""
    late_s = min((now_ns - ego.stamp_ns) * 1e-9, limits.odometry_gap_s)
    if late_s <= 0.0:
        return ego
    turn = ego.yaw_rate_rps * late_s
    chord = max(ego.speed_mps, 0.0) * late_s * float(np.sinc(turn / (2 * np.pi)))
    way = np.array([chord * np.cos(turn / 2), chord * np.sin(turn / 2), turn])
    x, y, heading = (float(v) for v in to_odom(way, ego))
    return replace(ego, stamp_ns=now_ns, x_m=x, y_m=y, heading_rad=heading)


def _cut(plan: Plan, join: Join, anchor: EgoState, now_ns: int, vehicle: Vehicle) -> Trajectory:
    """What is left of the plan from now on, seen from ``anchor``.

    Poses, speed and curvature say where the car should be; acceleration and steering are what
    to ask the actuators for at that time, ahead by their delay.
    """
    t = plan.trajectory
    age = (now_ns - plan.t0_ns) * 1e-9
    count = max(int(np.floor(len(t.x_m) - age / t.dt_s + 1e-6)), 1)
    time = age + np.arange(1, count + 1) * t.dt_s
    there = Place.along(plan, join, time)
    asked = Place.along(plan, join, time + vehicle.actuator_delay_s)
    odom = np.stack([there.x_m, there.y_m, there.heading_rad], axis=-1)
    pose: Float[np.ndarray, 'P 3'] = to_base(odom, anchor)
    return Trajectory(
        now_ns,
        t.dt_s,
        pose[:, 0],
        pose[:, 1],
        pose[:, 2],
        there.speed_mps,
        asked.acceleration_mps2,
        there.curvature_1pm,
        there.speed_mps * there.curvature_1pm,
        np.arctan(vehicle.wheelbase_m * asked.curvature_1pm),
    )
