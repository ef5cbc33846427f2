"""Nothing leaves that is not finite, fresh, monotonic and checked."""

from dataclasses import fields, replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, plan

from alpamayo_ros.faults import Code
from alpamayo_ros.safety.gate import gate
from alpamayo_ros.types import Trajectory

NOW = SECOND
COLUMNS = [field.name for field in fields(Trajectory) if field.name not in ('t0_ns', 'dt_s')]


def fault_of(candidate, previous=None, checked=True, now=NOW):
    newest = None if previous is None else previous.t0_ns
    return gate(candidate, newest, checked, LIMITS, now)


def verdict(candidate, previous=None, checked=True, now=NOW):
    fault = fault_of(candidate, previous, checked, now)
    return None if fault is None else fault.code


def with_columns(**columns):
    """A good plan with other columns in its trajectory."""
    good = plan(8.0, t0_ns=NOW)
    return replace(good, trajectory=replace(good.trajectory, **columns))


def test_a_good_plan_passes():
    assert verdict(plan(8.0, t0_ns=NOW - SECOND // 10)) is None


@pytest.mark.parametrize('name', COLUMNS)
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_i1_not_finite(name, bad):
    column = getattr(plan(8.0).trajectory, name).copy()
    column[-1] = bad
    assert verdict(with_columns(t0_ns=NOW, **{name: column})) is Code.INTERNAL


def test_what_single_precision_cannot_hold_is_not_finite():
    with np.errstate(over='ignore'):
        assert verdict(with_columns(x_m=np.full(60, 1e39))) is Code.INTERNAL


@pytest.mark.parametrize('name', COLUMNS)
def test_columns_have_one_length(name):
    uneven = with_columns()
    shorter = getattr(uneven.trajectory, name)[:-1]
    object.__setattr__(uneven.trajectory, name, shorter)  # the shape types refuse to make one
    assert verdict(uneven) is Code.INTERNAL


@pytest.mark.parametrize(('points', 'code'), [(0, Code.INTERNAL), (1, None)])
def test_a_plan_has_a_point(points, code):
    path = plan(8.0).trajectory
    assert verdict(with_columns(**{n: getattr(path, n)[:points] for n in COLUMNS})) is code


@pytest.mark.parametrize('dt', [0.0, -0.1, np.nan, np.inf])
def test_time_that_does_not_advance(dt):
    good = plan(8.0, t0_ns=NOW)
    assert verdict(replace(good, trajectory=replace(good.trajectory, dt_s=dt))) is Code.INTERNAL


def test_i2_age():
    limit = int(LIMITS.plan_age_s * SECOND)
    assert verdict(plan(8.0, t0_ns=NOW - limit + 1_000_000)) is None
    stale = fault_of(plan(8.0, t0_ns=NOW - limit))
    assert stale.code is Code.PLAN_STALE
    assert stale.values == {'age_s': pytest.approx(0.5), 'limit_s': LIMITS.plan_age_s}


def test_from_the_future():
    assert verdict(plan(8.0, t0_ns=NOW + 99_000_000)) is None
    assert verdict(plan(8.0, t0_ns=NOW + 100_000_000)) is None
    ahead = fault_of(plan(8.0, t0_ns=NOW + 101_000_000))
    assert ahead.code is Code.PLAN_FUTURE
    assert ahead.values == {'ahead_s': pytest.approx(0.101), 'limit_s': LIMITS.stamp_future_s}


@pytest.mark.parametrize('later', [0, -1, -SECOND])
def test_i3_stamps_strictly_increase(later):
    before = plan(8.0, t0_ns=NOW - 1000)
    assert verdict(plan(8.0, t0_ns=NOW - 1000 + later), before) in (
        Code.PLAN_STAMP,
        Code.PLAN_STALE,
    )
    assert verdict(plan(8.0, t0_ns=NOW - 999), before) is None


def test_how_far_behind_is_said():
    old = fault_of(plan(8.0, t0_ns=NOW - SECOND // 5), plan(8.0, t0_ns=NOW))
    assert old.code is Code.PLAN_STAMP and old.values == {'behind_s': pytest.approx(0.2)}


def test_i3_validity_lies_after_the_stamp():
    good = plan(8.0, t0_ns=NOW)
    assert verdict(replace(good, valid_until_ns=NOW)) is Code.INTERNAL


def test_unchecked_plans_stay_inside():
    assert verdict(plan(8.0, t0_ns=NOW), checked=False) is Code.INTERNAL


def test_stamps_of_plan_and_trajectory_agree():
    good = plan(8.0, t0_ns=NOW)
    assert verdict(replace(good, t0_ns=NOW - 5)) is Code.INTERNAL
