"""Nothing leaves that is not finite, fresh, monotonic and checked."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, plan

from alpamayo_ros.faults import Code
from alpamayo_ros.safety.gate import ARRAYS, gate

NOW = SECOND


def verdict(candidate, previous=None, checked=True, now=NOW):
    newest = None if previous is None else previous.t0_ns
    fault = gate(candidate, newest, checked, LIMITS, now)
    return None if fault is None else fault.code


def test_a_good_plan_passes():
    assert verdict(plan(8.0, t0_ns=NOW - SECOND // 10)) is None


@pytest.mark.parametrize('name', ARRAYS)
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_i1_not_finite(name, bad):
    good = plan(8.0, t0_ns=NOW)
    column = getattr(good.trajectory, name).copy()
    column[-1] = bad
    broken = replace(good, trajectory=replace(good.trajectory, **{name: column}))
    assert verdict(broken) is Code.INTERNAL


@pytest.mark.parametrize('dt', [0.0, -0.1, np.nan])
def test_time_that_does_not_advance(dt):
    good = plan(8.0, t0_ns=NOW)
    assert verdict(replace(good, trajectory=replace(good.trajectory, dt_s=dt))) is Code.INTERNAL


def test_i2_age():
    limit = int(LIMITS.plan_age_s * SECOND)
    assert verdict(plan(8.0, t0_ns=NOW - limit + 1_000_000)) is None
    assert verdict(plan(8.0, t0_ns=NOW - limit)) is Code.PLAN_STALE


def test_from_the_future():
    assert verdict(plan(8.0, t0_ns=NOW + 99_000_000)) is None
    assert verdict(plan(8.0, t0_ns=NOW + 101_000_000)) is Code.PLAN_FUTURE


@pytest.mark.parametrize('later', [0, -1, -SECOND])
def test_i3_stamps_strictly_increase(later):
    before = plan(8.0, t0_ns=NOW - 1000)
    assert verdict(plan(8.0, t0_ns=NOW - 1000 + later), before) in (
        Code.PLAN_STAMP,
        Code.PLAN_STALE,
    )
    assert verdict(plan(8.0, t0_ns=NOW - 999), before) is None


def test_i3_validity_lies_after_the_stamp():
    good = plan(8.0, t0_ns=NOW)
    assert verdict(replace(good, valid_until_ns=NOW)) is Code.INTERNAL


def test_unchecked_plans_stay_inside():
    assert verdict(plan(8.0, t0_ns=NOW), checked=False) is Code.INTERNAL


def test_stamps_of_plan_and_trajectory_agree():
    good = plan(8.0, t0_ns=NOW)
    assert verdict(replace(good, t0_ns=NOW - 5)) is Code.INTERNAL
