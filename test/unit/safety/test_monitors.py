"""Faults from ages, rates and states: thresholds exact, NaN is a fault."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, ego, plan

from alpamayo_ros.faults import Code
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.monitors import (
    camera_faults,
    late_fault,
    model_faults,
    odometry_faults,
    watch,
)
from alpamayo_ros.safety.scene import CameraStatus, ModelStatus, Scene
from alpamayo_ros.safety.state import Mode, SafetyState

MS = 1_000_000


def codes(faults):
    return {f.code for f in faults}


def cameras(*changed):
    """Six healthy cameras, some of them changed."""
    names = ('front', 'front_left', 'front_right', 'rear_left', 'rear', 'rear_right')
    healthy = {n: CameraStatus(n, mandatory=n == 'front', maskable=n == 'rear') for n in names}
    for name, values in changed:
        healthy[name] = replace(healthy[name], **values)
    return list(healthy.values())


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
    ('changed', 'expected'),
    [
        ([], set()),
        ([('rear', {'silent_periods': 2.9})], set()),
        ([('rear', {'silent_periods': 3.1})], {Code.CAM_LOST}),
        ([('rear', {'frozen': True})], {Code.CAM_FROZEN}),
        ([('rear', {'implausible': True})], {Code.CAM_IMPLAUSIBLE}),
        ([('rear_left', {'silent_periods': 3.1})], {Code.CAM_MANDATORY_LOST}),  # not maskable
        ([('front', {'silent_periods': 3.1})], {Code.SET_INCOMPLETE}),
        ([('front', {'silent_periods': 5.1})], {Code.CAM_MANDATORY_LOST}),
        ([('front', {'frozen': True})], {Code.CAM_MANDATORY_LOST}),
        ([('rear', {'silent_periods': np.nan})], {Code.CAM_LOST}),
        ([('rear', {'rate_ratio': 0.91})], set()),
        ([('rear', {'rate_ratio': 0.89})], {Code.CAM_RATE_WARN}),
        ([('rear', {'rate_ratio': 0.49})], {Code.CAM_RATE}),
        ([('rear', {'rate_ratio': np.nan})], {Code.CAM_RATE}),
    ],
)
def test_cameras(changed, expected):
    found = camera_faults(cameras(*changed), LIMITS)
    assert codes(found) == expected
    assert all(f.values['camera'] == changed[0][0] for f in found)


def test_two_lost_cameras_are_too_many():
    lost = [('rear', {'silent_periods': 4.0}), ('rear_left', {'frozen': True})]
    assert Code.CAMS_LOST in codes(camera_faults(cameras(*lost), LIMITS))


@pytest.mark.parametrize(
    ('status', 'expected'),
    [
        (ModelStatus(), set()),
        (ModelStatus('absent'), {Code.MODEL_ABSENT}),
        (ModelStatus('starting', killed=True), {Code.MODEL_KILLED}),
        (ModelStatus(failures=1), {Code.MODEL_ERROR}),
        (ModelStatus(failures=2), {Code.MODEL_ERROR}),
        (ModelStatus(failures=3), {Code.MODEL_FAILING}),
        (ModelStatus(respawns=2), set()),
        (ModelStatus(respawns=3), {Code.MODEL_RESPAWNS}),
        (ModelStatus(last_cycle_s=0.19), set()),
        (ModelStatus(last_cycle_s=0.21), {Code.MODEL_OVERRUN}),
        (ModelStatus(last_cycle_s=float('nan')), {Code.MODEL_OVERRUN}),
        (ModelStatus(last_cycle_s=0.09, p99_cycle_s=0.11), {Code.MODEL_OVERRUN_WARN}),
    ],
)
def test_model(status, expected):
    assert codes(model_faults(status, LIMITS, 0.1)) == expected


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
