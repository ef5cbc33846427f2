"""Faults from ages, rates and states: thresholds exact, NaN is a fault."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, SECOND, ego, plan

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.monitors import (
    clock_fault,
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


NUMBERS = ['x_m', 'y_m', 'heading_rad', 'speed_mps', 'yaw_rate_rps', 'acceleration_mps2']


@pytest.mark.parametrize('field', NUMBERS)
@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_odometry_that_is_not_finite(field, bad):
    broken = replace(ego(), **{field: bad})
    assert codes(odometry_faults(None, broken, LIMITS, 0)) == {Code.ODOM_GAP}
    assert codes(odometry_faults(broken, ego(), LIMITS, 0)) == {Code.ODOM_GAP}


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
    moved = (8.0 + sign * off) * 0.1
    before = ego(7.0, SECOND, x=50.0, y=-20.0)
    now = ego(9.0, SECOND + 100 * MS, x=50.0 + 0.6 * moved, y=-20.0 + 0.8 * moved)
    found = odometry_faults(before, now, LIMITS, SECOND + 100 * MS)
    assert codes(found) == ({code} if code else set())
    for fault in found:
        assert fault.values['difference_mps'] == pytest.approx(off)


@pytest.mark.parametrize('later_ms', [0, 100])
def test_positions_are_compared_forward_in_time_only(later_ms):
    """The state of t0 is the newest one, or was extrapolated beyond it."""
    at_t0, newest = ego(8.0, later_ms * MS, x=40.0), ego(8.0)
    assert not odometry_faults(at_t0, newest, LIMITS, 0)


def test_age_and_speed_are_both_said():
    before, now = ego(8.0), ego(8.0, 100 * MS, x=5.0)
    found = odometry_faults(before, now, LIMITS, 200 * MS)
    assert [f.code for f in found] == [Code.ODOM_GAP_WARN, Code.ODOM_SPEED]


@pytest.mark.parametrize(
    ('age_ms', 'code'), [(50, None), (200, Code.ODOM_GAP_WARN), (201, Code.ODOM_GAP)]
)
def test_at_a_limit_is_within_it(age_ms, code):
    found = odometry_faults(None, ego(8.0, SECOND), LIMITS, SECOND + age_ms * MS)
    assert codes(found) == ({code} if code else set())
    limits = {Code.ODOM_GAP: LIMITS.odometry_gap_s, Code.ODOM_GAP_WARN: LIMITS.odometry_gap_warn_s}
    assert [f.values['limit'] for f in found] == [limits[f.code] for f in found]


@pytest.mark.parametrize(
    ('p99_cycle_s', 'slow'),
    [(None, False), (0.09, False), (0.1, False), (0.11, True), (float('nan'), True)],
)
def test_a_model_slower_than_its_period(p99_cycle_s, slow):
    scene = Scene(None, ego(8.0), p99_cycle_s=p99_cycle_s)
    found = watch(scene, SafetyState(), PlanConfig.from_files(), 0, proposed=True)
    assert codes(found) == ({Code.MODEL_OVERRUN_WARN} if slow else set())
    assert found == pace_faults(p99_cycle_s, LIMITS, 0.1)
    if p99_cycle_s == 0.11:
        assert found[0].values == {'p99_s': 0.11, 'period_s': 0.1}
    assert not pace_faults(0.15, LIMITS, 0.2) and pace_faults(0.15, LIMITS, 0.1)


def test_a_plan_that_runs_out_is_noticed_before_it_does():
    state = SafetyState(mode=Mode.ACTIVE, previous_plan=plan(8.0))
    assert not late_fault(state, LIMITS, 0.1, 449 * MS)
    (late,) = late_fault(state, LIMITS, 0.1, 450 * MS)
    assert late.code is Code.MODEL_LATE and late.values == {'left_s': pytest.approx(0.05)}
    assert late_fault(replace(state, mode=Mode.DEGRADED), LIMITS, 0.1, 450 * MS)
    assert late_fault(state, LIMITS, 0.2, 400 * MS)
    proposed = replace(state, proposed_ns=300 * MS)  # and refused: the plan ends when it does
    assert late_fault(proposed, LIMITS, 0.1, 450 * MS)


@pytest.mark.parametrize(('since', 'proposed'), [(0, SECOND), (SECOND, 0), (SECOND, None)])
def test_after_a_stop_the_time_counts_from_the_later_of_proposal_and_state(since, proposed):
    """The last plan that left is a stop, whose own validity says nothing about the model."""
    stop = plan(8.0, source='fallback')
    state = SafetyState(mode=Mode.ACTIVE, since_ns=since, proposed_ns=proposed, previous_plan=stop)
    assert not late_fault(state, LIMITS, 0.1, SECOND + 449 * MS)
    assert late_fault(state, LIMITS, 0.1, SECOND + 450 * MS)


def test_in_fallback_without_a_proposal_the_time_counts_from_its_beginning():
    state = SafetyState(mode=Mode.FALLBACK, since_ns=SECOND, previous_plan=plan(8.0))
    assert not late_fault(state, LIMITS, 0.1, SECOND + 449 * MS)
    assert late_fault(state, LIMITS, 0.1, SECOND + 450 * MS)
    assert late_fault(replace(state, proposed_ns=0), LIMITS, 0.1, SECOND)


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
    [
        (0.15, None),
        (0.16, Code.FRAME_AGE_WARN),
        (0.3, Code.FRAME_AGE_WARN),
        (0.31, Code.FRAME_AGE),
        (np.nan, Code.FRAME_AGE),
    ],
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


def test_the_clock_may_step_back_by_its_jitter():
    state = SafetyState(decided_ns=SECOND)
    assert not clock_fault(SafetyState(), LIMITS, 0)
    assert not clock_fault(state, LIMITS, SECOND + 1) and not clock_fault(state, LIMITS, SECOND)
    assert not clock_fault(state, LIMITS, SECOND - 5 * MS)
    (back,) = clock_fault(state, LIMITS, SECOND - 6 * MS)
    assert back.code is Code.CLOCK_BACK
    assert back.values == {'back_s': pytest.approx(0.006), 'limit_s': LIMITS.clock_jitter_s}


def test_a_plan_from_the_future_says_that_the_clock_went_back():
    state = SafetyState(previous_plan=plan(8.0, t0_ns=SECOND))
    assert not clock_fault(state, LIMITS, SECOND - 100 * MS)
    (back,) = clock_fault(state, LIMITS, SECOND - 101 * MS)
    assert back.values['back_s'] == pytest.approx(0.101)
    both = replace(state, decided_ns=2 * SECOND)
    assert clock_fault(both, LIMITS, 0)[0].values['back_s'] == pytest.approx(2.0)
    both = replace(state, decided_ns=SECOND // 2)
    assert clock_fault(both, LIMITS, 0)[0].values['back_s'] == pytest.approx(1.0)


def test_every_monitor_is_heard():
    """Clock, upstream, odometry, pace, frames, and a model that is late unless it proposes."""
    state = SafetyState(mode=Mode.ACTIVE, decided_ns=3 * SECOND)
    upstream = (Fault(Code.CAM_LOST), Fault(Code.SKEW_WARN))
    scene = Scene(None, ego(8.0), faults=upstream, p99_cycle_s=0.2, frame_age_s=0.2)
    expected = [Code.CLOCK_BACK, Code.CAM_LOST, Code.SKEW_WARN, Code.ODOM_GAP]
    expected += [Code.MODEL_OVERRUN_WARN, Code.FRAME_AGE_WARN]
    config = PlanConfig.from_files()
    found = watch(scene, state, config, 2 * SECOND, proposed=True)
    assert [f.code for f in found] == expected
    assert found[-1].values['age_s'] == 0.2
    found = watch(scene, state, config, 2 * SECOND, proposed=False)
    assert [f.code for f in found] == [*expected, Code.MODEL_LATE]
