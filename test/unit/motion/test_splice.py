"""The reference: cut at now, joined without a step, never outliving its plan."""

from dataclasses import replace

import numpy as np
import pytest
from drives import LIMITS, ego, plan

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.plan import to_odom
from alpamayo_ros.motion.splice import splice

MS = 1_000_000


def in_odom(reference):
    t = reference.trajectory
    return to_odom(np.stack([t.x_m, t.y_m, t.heading_rad], -1), reference.anchor)


@pytest.mark.parametrize('age_ms', [0, 50, 130, 320])
def test_cut_for_latency_stays_where_the_plan_is(age_ms):
    """Points of the reference lie on the plan in odom, at their own times, not re-anchored."""
    now = age_ms * MS
    reference = splice(plan(8.0), None, ego(8.0, now, x=8.0 * age_ms / 1e3), now, LIMITS)
    poses = in_odom(reference)
    expected = 8.0 * (age_ms / 1e3 + np.arange(1, len(poses) + 1) * 0.1)
    np.testing.assert_allclose(poses[:, 0], expected, atol=1e-9)
    assert expected[-1] <= 48.0 + 1e-9 and len(poses) >= 56
    assert reference.trajectory.t0_ns == reference.stamp_ns == now


def test_inherits_validity_and_never_renews_it():
    source = plan(8.0)
    reference = splice(source, None, ego(8.0, 300 * MS), 300 * MS, LIMITS)
    assert reference.valid_until_ns == source.valid_until_ns
    assert (reference.plan_id, reference.plan_t0_ns) == (source.id, source.t0_ns)
    late = splice(source, reference, ego(8.0, 500 * MS), 500 * MS, LIMITS)
    assert isinstance(late, Fault) and late.code is Code.PLAN_STALE


def test_a_new_plan_beside_the_old_one_fades_in():
    """The new plan lies 0.4 m to the left: no step at the join, 5 cm left after 0.6 s."""
    driven = splice(plan(8.0), None, ego(8.0), 0, LIMITS)
    now = 100 * MS
    new = plan(8.0, t0_ns=now, number=2, x=0.8, y=0.4)
    reference = splice(new, driven, ego(8.0, now, x=0.8), now, LIMITS)
    lateral = in_odom(reference)[:, 1]
    assert 0.0 < lateral[0] < 0.15 and np.diff(lateral).max() < 0.15
    assert lateral[6] > 0.35 and lateral[-1] == pytest.approx(0.4, abs=1e-3)


def test_the_same_plan_again_goes_on_fading():
    driven = splice(plan(8.0), None, ego(8.0), 0, LIMITS)
    new = plan(8.0, t0_ns=100 * MS, number=2, x=0.8, y=0.4)
    once = splice(new, driven, ego(8.0, 100 * MS, x=0.8), 100 * MS, LIMITS)
    again = splice(new, once, ego(8.0, 150 * MS, x=1.2), 150 * MS, LIMITS)
    assert again.joined_ns == once.joined_ns and again.offset_m == once.offset_m
    first = in_odom(again)[0, 1]
    between = np.interp(0.15, [0.1, 0.2], in_odom(once)[:2, 1])
    assert first == pytest.approx(between, abs=0.01)


def test_an_offset_beyond_the_limit_is_refused():
    driven = splice(plan(8.0), None, ego(8.0), 0, LIMITS)
    new = plan(8.0, t0_ns=100 * MS, number=2, x=0.8, y=1.6)
    fault = splice(new, driven, ego(8.0, 100 * MS, x=0.8), 100 * MS, LIMITS)
    assert isinstance(fault, Fault) and fault.code is Code.PLAN_JUMP


def test_braking_is_taken_over_at_once_and_acceleration_fades_in():
    driven = splice(plan(8.0), None, ego(8.0), 0, LIMITS)
    now = 100 * MS
    start = ego(8.0, now, x=0.8)
    slower = splice(plan(6.0, t0_ns=now, number=2, x=0.8), driven, start, now, LIMITS)
    np.testing.assert_allclose(slower.trajectory.speed_mps, 6.0)
    faster = splice(plan(9.0, t0_ns=now, number=2, x=0.8), driven, start, now, LIMITS)
    assert faster.trajectory.speed_mps[0] < 8.5
    assert faster.trajectory.speed_mps[-1] == pytest.approx(9.0, abs=1e-3)


def test_what_is_not_finite_is_refused():
    source = plan(8.0)
    broken = source.trajectory.y_m.copy()
    broken[30] = np.nan
    bad = replace(source, trajectory=replace(source.trajectory, y_m=broken))
    fault = splice(bad, None, ego(8.0), 0, LIMITS)
    assert isinstance(fault, Fault) and fault.code is Code.INTERNAL
