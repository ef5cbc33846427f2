"""Faults from ages, rates and states: thresholds exact, NaN is a fault."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, ego, plan

from alpamayo_ros.faults import Code
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.monitors import (
    late_fault,
    odometry_faults,
    pace_faults,
    watch,
)
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import Mode, SafetyState

MS = 1_000_000


def codes(faults):
    return {f.code for f in faults}


@pytest.mark.parametrize(
    ('age_ms', 'code'),
    [(49, None), (51, Code.ODOM_GAP_WARN), (199, Code.ODOM_GAP_WARN), (201, Code.ODOM_GAP)],
)
def test_odometry_gap(age_ms, code):
    found = odometry_faults(None, ego(8.0), LIMITS, age_ms * MS)
    assert codes(found) == ({code} if code else set())
    if code:
        assert found[0].values['age_s'] == pytest.approx(age_ms / 1e3)


def test_no_odometry_at_all():
    assert codes(odometry_faults(None, None, LIMITS, 0)) == {Code.ODOM_GAP}


@pytest.mark.parametrize('field', ['x_m', 'y_m', 'heading_rad', 'speed_mps', 'yaw_rate_rps'])
@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_odometry_that_is_not_finite(field, bad):
    assert codes(odometry_faults(None, replace(ego(), **{field: bad}), LIMITS, 0))


def test_unknown_steering_is_no_fault():
    assert not odometry_faults(None, replace(ego(), steering_rad=float('nan')), LIMITS, 0)


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize(
    ('off', 'code'),
    [
        (0.9, None),
        (1.1, Code.ODOM_SPEED_WARN),
        (4.9, Code.ODOM_SPEED_WARN),
        (5.1, Code.ODOM_SPEED),
    ],
)
def test_speed_against_position(off, code, sign):
    before, now = ego(8.0), ego(8.0, 100 * MS, x=(8.0 + sign * off) * 0.1)
    assert codes(odometry_faults(before, now, LIMITS, 100 * MS)) == ({code} if code else set())


@pytest.mark.parametrize(
    ('p99_cycle_s', 'slow'),
    [(None, False), (0.09, False), (0.1, False), (0.11, True), (float('nan'), True)],
)
def test_a_model_slower_than_its_period(p99_cycle_s, slow):
    scene = Scene(None, ego(8.0), p99_cycle_s=p99_cycle_s)
    found = watch(scene, SafetyState(), PlanConfig.from_files(), 0, proposed=True)
    assert codes(found) == ({Code.MODEL_OVERRUN_WARN} if slow else set())
    assert found == pace_faults(p99_cycle_s, LIMITS, 0.1)


def test_a_plan_that_runs_out_is_noticed_before_it_does():
    state = SafetyState(mode=Mode.ACTIVE, previous_plan=plan(8.0))
    assert not late_fault(state, LIMITS, 0.1, 440 * MS)
    assert codes(late_fault(state, LIMITS, 0.1, 460 * MS)) == {Code.MODEL_LATE}


def test_without_a_first_plan_the_wait_is_bounded_too():
    state = SafetyState(mode=Mode.ACTIVE, since_ns=SECOND)
    assert not late_fault(state, LIMITS, 0.1, SECOND + 440 * MS)
    assert late_fault(state, LIMITS, 0.1, SECOND + 460 * MS)


def test_in_fallback_the_time_counts_from_the_last_proposal():
    state = SafetyState(mode=Mode.FALLBACK, proposed_ns=SECOND, previous_plan=plan(8.0))
    assert not late_fault(state, LIMITS, 0.1, SECOND + 440 * MS)
    assert late_fault(state, LIMITS, 0.1, SECOND + 460 * MS)


@pytest.mark.parametrize('mode', [Mode.INIT, Mode.READY, Mode.FAULT])
def test_nothing_is_late_where_nothing_is_driven(mode):
    assert not late_fault(SafetyState(mode=mode), LIMITS, 0.1, 99 * SECOND)


@pytest.mark.parametrize(
    ('age_s', 'code'),
    [(0.14, None), (0.16, Code.FRAME_AGE_WARN), (0.31, Code.FRAME_AGE), (np.nan, Code.FRAME_AGE)],
)
def test_age_of_the_frames(age_s, code):
    scene = Scene(None, ego(8.0), frame_age_s=age_s)
    found = watch(scene, SafetyState(), PlanConfig.from_files(), 0, proposed=True)
    assert codes(found) == ({code} if code else set())


def test_in_lockstep_ages_count_from_t0():
    scene = Scene(ego(8.0), ego(8.0), observed_ns=0)
    state = SafetyState(mode=Mode.ACTIVE)
    assert not watch(scene, state, PlanConfig.from_files(), 300 * MS, proposed=True)
    late = replace(scene, observed_ns=None)
    assert watch(late, state, PlanConfig.from_files(), 300 * MS, proposed=True)
