"""The last check: nothing leaves that is not finite, fresh, newer than the last, and checked."""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.types import Trajectory

ARRAYS = (
    'x_m',
    'y_m',
    'heading_rad',
    'speed_mps',
    'acceleration_mps2',
    'curvature_1pm',
    'yaw_rate_rps',
    'steering_rad',
)


def gate(
    plan: Plan, newest_t0_ns: int | None, checked: bool, limits: Limits, now_ns: int
) -> Fault | None:
    """None lets ``plan`` out; a Fault says why it must not leave.

    ``newest_t0_ns``: t0 of the newest plan that ever left.  ``checked``: its checks all hold.
    """
    t, age = plan.trajectory, (now_ns - plan.t0_ns) * 1e-9
    if not checked:
        return Fault(Code.INTERNAL, 'a plan without passed checks reached the gate.')
    if not finite(t):
        return Fault(Code.INTERNAL, 'a plan that is not finite reached the gate.')
    if t.t0_ns != plan.t0_ns or not plan.t0_ns < plan.valid_until_ns:
        return Fault(Code.INTERNAL, 'a plan with inconsistent stamps reached the gate.')
    if not age < limits.plan_age_s:
        return Fault(Code.PLAN_STALE, values={'age_s': age, 'limit_s': limits.plan_age_s})
    if not -age <= limits.stamp_future_s:
        return Fault(Code.PLAN_FUTURE, values={'ahead_s': -age, 'limit_s': limits.stamp_future_s})
    if newest_t0_ns is not None and not plan.t0_ns > newest_t0_ns:
        values: dict[str, float | str] = {'behind_s': (newest_t0_ns - plan.t0_ns) * 1e-9}
        return Fault(Code.PLAN_STAMP, values=values)
    return None


def finite(trajectory: Trajectory) -> bool:
    """Whether every number is finite as published (float32), one length, time going forward."""
    columns = [np.asarray(getattr(trajectory, name), np.float32) for name in ARRAYS]
    same = len({len(column) for column in columns}) == 1 and len(columns[0]) > 0
    forward = math.isfinite(trajectory.dt_s) and trajectory.dt_s > 0
    return bool(same and forward and all(np.isfinite(column).all() for column in columns))
