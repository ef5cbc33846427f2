"""From ages, rates and states to faults; every comparison fails closed on NaN."""

from __future__ import annotations

import math

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import DRIVING, Mode, SafetyState
from alpamayo_ros.types import EgoState


def watch(
    scene: Scene, state: SafetyState, config: PlanConfig, now_ns: int, proposed: bool
) -> list[Fault]:
    """Every fault of the scene, upstream ones first.  ``proposed``: a proposal is at hand."""
    limits, period_s = config.limits, config.period_s
    observed = now_ns if scene.observed_ns is None else scene.observed_ns
    return [
        *clock_fault(state, limits, now_ns),
        *scene.faults,
        *odometry_faults(scene.ego, scene.ego_now, limits, observed),
        *pace_faults(scene.p99_cycle_s, limits, period_s),
        *_graded(
            scene.frame_age_s,
            (limits.frame_age_warn_s, Code.FRAME_AGE_WARN),
            (limits.frame_age_s, Code.FRAME_AGE),
            'age_s',
        ),
        *([] if proposed else late_fault(state, limits, period_s, now_ns)),
    ]


def clock_fault(state: SafetyState, limits: Limits, now_ns: int) -> list[Fault]:
    """CLOCK_BACK when this call is earlier than the last one, or than the plan being driven."""
    last, plan = state.decided_ns, state.previous_plan
    back_s = 0.0 if last is None else (last - now_ns) * 1e-9
    ahead_s = 0.0 if plan is None else (plan.t0_ns - now_ns) * 1e-9
    if back_s <= limits.clock_jitter_s and ahead_s <= limits.stamp_future_s:
        return []
    values: dict[str, float | str] = {'back_s': max(back_s, ahead_s)}
    return [Fault(Code.CLOCK_BACK, values={**values, 'limit_s': limits.clock_jitter_s})]


def odometry_faults(
    ego: EgoState | None, ego_now: EgoState | None, limits: Limits, observed_ns: int
) -> list[Fault]:
    """Age of the newest odometry, its finiteness, and speed against the change of position."""
    if ego_now is None:
        return [Fault(Code.ODOM_GAP, 'there is no odometry yet.')]
    if not finite(ego_now) or (ego is not None and not finite(ego)):
        return [Fault(Code.ODOM_GAP, 'the newest odometry is not finite.')]
    age = (observed_ns - ego_now.stamp_ns) * 1e-9
    faults = _graded(
        age,
        (limits.odometry_gap_warn_s, Code.ODOM_GAP_WARN),
        (limits.odometry_gap_s, Code.ODOM_GAP),
        'age_s',
    )
    if ego is None or ego.stamp_ns >= ego_now.stamp_ns:
        return faults
    time = (ego_now.stamp_ns - ego.stamp_ns) * 1e-9
    moved = math.hypot(ego_now.x_m - ego.x_m, ego_now.y_m - ego.y_m) / time
    return faults + _graded(
        abs(moved - (ego.speed_mps + ego_now.speed_mps) / 2),
        (limits.odometry_speed_warn_mps, Code.ODOM_SPEED_WARN),
        (limits.odometry_speed_mps, Code.ODOM_SPEED),
        'difference_mps',
    )


def finite(ego: EgoState) -> bool:
    """Whether pose and motion are numbers; the steering may be unknown (NaN)."""
    numbers = (ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps, ego.yaw_rate_rps)
    return all(math.isfinite(n) for n in (*numbers, ego.acceleration_mps2))


def pace_faults(p99_cycle_s: float | None, limits: Limits, period_s: float) -> list[Fault]:
    """MODEL_OVERRUN_WARN when the model is too slow for its period; a single cycle does not count.

    A cycle that is dropped, or a process that ends, is found by ``runtime.process.worker``.
    """
    if p99_cycle_s is None or p99_cycle_s <= limits.cycle_warn_periods * period_s:
        return []
    values: dict[str, float | str] = {'p99_s': p99_cycle_s, 'period_s': period_s}
    return [Fault(Code.MODEL_OVERRUN_WARN, values=values)]


def late_fault(state: SafetyState, limits: Limits, period_s: float, now_ns: int) -> list[Fault]:
    """MODEL_LATE when the plan being driven runs out before another period has passed.

    Before the first plan the time counts from when driving was allowed, and in FALLBACK, where
    plans are stops, from the last proposal.
    """
    age_ns, last = int(limits.plan_age_s * 1e9), state.previous_plan
    if state.mode in DRIVING and last is not None and last.source == 'model':
        until = last.valid_until_ns
    elif state.mode in DRIVING:
        until = max(state.proposed_ns or 0, state.since_ns) + age_ns
    elif state.mode is Mode.FALLBACK:
        until = (state.since_ns if state.proposed_ns is None else state.proposed_ns) + age_ns
    else:
        return []
    left = (until - now_ns) * 1e-9
    return [Fault(Code.MODEL_LATE, values={'left_s': left})] if left <= period_s / 2 else []


def _graded(
    value: float | None, warn: tuple[float, Code], limit: tuple[float, Code], name: str
) -> list[Fault]:
    """Nothing, the warning or the rejection, whichever ``value`` reaches; NaN is a rejection."""
    if value is None:
        return []
    for level, code in (limit, warn):
        if not value <= level:
            return [Fault(code, values={name: value, 'limit': level})]
    return []
