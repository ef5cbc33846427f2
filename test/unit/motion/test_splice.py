"""The reference: cut at now, joined without a step, never outliving its plan."""

from dataclasses import replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, VEHICLE, ego, plan

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.join import FADES_S, NO_JOIN, place
from alpamayo_ros.motion.plan import to_odom
from alpamayo_ros.motion.splice import Reference, splice

MS = 1_000_000


def in_odom(reference):
    t = reference.trajectory
    return to_odom(np.stack([t.x_m, t.y_m, t.heading_rad], -1), reference.anchor)


@pytest.mark.parametrize('age_ms', [0, 50, 130, 320])
def test_cut_for_latency_stays_where_the_plan_is(age_ms):
    """Points of the reference lie on the plan in odom, at their own times, not re-anchored."""
    now = age_ms * MS
    reference = splice(plan(8.0), None, ego(8.0, now, x=8.0 * age_ms / 1e3), now, VEHICLE, LIMITS)
    poses = in_odom(reference)
    expected = 8.0 * (age_ms / 1e3 + np.arange(1, len(poses) + 1) * 0.1)
    np.testing.assert_allclose(poses[:, 0], expected, atol=1e-9)
    assert expected[-1] <= 48.0 + 1e-9 and len(poses) >= 56
    assert reference.trajectory.t0_ns == reference.stamp_ns == now


def test_inherits_validity_and_never_renews_it():
    source = plan(8.0)
    reference = splice(source, None, ego(8.0, 300 * MS, x=2.4), 300 * MS, VEHICLE, LIMITS)
    assert reference.valid_until_ns == source.valid_until_ns
    assert (reference.plan.id, reference.plan.t0_ns) == (source.id, source.t0_ns)
    late = splice(source, reference, ego(8.0, 500 * MS, x=4.0), 500 * MS, VEHICLE, LIMITS)
    assert isinstance(late, Fault) and late.code is Code.PLAN_STALE


def test_a_new_plan_beside_the_old_one_fades_in():
    """The new plan lies 0.4 m to the left: no step at the join, 2 cm left after 3 s."""
    driven = splice(plan(8.0), None, ego(8.0), 0, VEHICLE, LIMITS)
    now = 100 * MS
    new = plan(8.0, t0_ns=now, number=2, x=0.8, y=0.4)
    reference = splice(new, driven, ego(8.0, now, x=0.8), now, VEHICLE, LIMITS)
    lateral = in_odom(reference)[:, 1]
    assert abs(lateral[0]) < 0.02 and np.diff(lateral).max() < 0.08
    assert lateral[30] > 0.38 and lateral[-1] == pytest.approx(0.4, abs=1e-3)


def test_the_same_plan_again_goes_on_fading():
    driven = splice(plan(8.0), None, ego(8.0), 0, VEHICLE, LIMITS)
    new = plan(8.0, t0_ns=100 * MS, number=2, x=0.8, y=0.4)
    once = splice(new, driven, ego(8.0, 100 * MS, x=0.8), 100 * MS, VEHICLE, LIMITS)
    again = splice(new, once, ego(8.0, 150 * MS, x=1.2), 150 * MS, VEHICLE, LIMITS)
    assert again.join == once.join
    first = in_odom(again)[0, 1]
    between = np.interp(0.15, [0.1, 0.2], in_odom(once)[:2, 1])
    assert first == pytest.approx(between, abs=0.01)


def test_an_offset_beyond_the_limit_is_refused():
    driven = splice(plan(8.0), None, ego(8.0), 0, VEHICLE, LIMITS)
    new = plan(8.0, t0_ns=100 * MS, number=2, x=0.8, y=1.6)
    fault = splice(new, driven, ego(8.0, 100 * MS, x=0.8), 100 * MS, VEHICLE, LIMITS)
    assert isinstance(fault, Fault) and fault.code is Code.PLAN_JUMP


def test_braking_is_taken_over_at_once_and_acceleration_fades_in():
    driven = splice(plan(8.0), None, ego(8.0), 0, VEHICLE, LIMITS)
    now = 100 * MS
    start = ego(8.0, now, x=0.8)
    slower = splice(plan(6.0, t0_ns=now, number=2, x=0.8), driven, start, now, VEHICLE, LIMITS)
    np.testing.assert_allclose(slower.trajectory.speed_mps, 6.0)
    faster = splice(plan(9.0, t0_ns=now, number=2, x=0.8), driven, start, now, VEHICLE, LIMITS)
    assert faster.trajectory.speed_mps[0] < 8.5
    assert faster.trajectory.speed_mps[-1] == pytest.approx(9.0, abs=1e-3)


def test_what_is_not_finite_is_refused():
    source = plan(8.0)
    broken = source.trajectory.y_m.copy()
    broken[30] = np.nan
    bad = replace(source, trajectory=replace(source.trajectory, y_m=broken))
    fault = splice(bad, None, ego(8.0), 0, VEHICLE, LIMITS)
    assert isinstance(fault, Fault) and fault.code is Code.INTERNAL


def bent(number, now_ms, bend, **where):
    return plan(8.0, 0.0, bend, t0_ns=now_ms * MS, number=number, **where)


@pytest.mark.parametrize('speed', [1.0, 3.0, 5.0, 8.0, 12.0])
@pytest.mark.parametrize('sign', [-1, 1])
def test_place_direction_and_curvature_are_those_being_driven(speed, sign):
    """A plan that lies aside, turned and bent otherwise: at the join nothing steps."""
    old = plan(speed, 0.0, sign * 0.004)
    driven = splice(old, None, ego(speed), 0, VEHICLE, LIMITS)
    now = 100 * MS
    at = place(driven.plan, driven.join, now)
    new = plan(speed, t0_ns=now, number=2, x=at.x_m, y=sign * 0.15, heading=sign * 0.02)
    here = ego(speed, now, sign * 0.004, x=at.x_m, y=at.y_m, heading=at.heading_rad)
    reference = splice(new, driven, here, now, VEHICLE, LIMITS)
    found = place(new, reference.join, now)
    for name in ('y_m', 'heading_rad', 'curvature_1pm'):
        assert getattr(found, name) == pytest.approx(getattr(at, name), abs=2e-4), name
    assert abs(place(new, NO_JOIN, now).y_m - at.y_m) > 0.1  # without the join it would


@pytest.mark.parametrize('speed', [1.5, 3.0, 5.0, 8.0, 12.0])
@pytest.mark.parametrize('sign', [-1, 1])
def test_over_the_next_step_the_wheel_turns_as_it_was_to(speed, sign):
    """Up to the first point that a controller receives nothing steps either."""
    times = np.arange(1, 61) * DT
    old = plan(speed, 0.0, sign * (0.004 + 0.02 * np.minimum(times, 1.0)))
    driven = splice(old, None, ego(speed), 0, VEHICLE, LIMITS)
    now, later = 100 * MS, 200 * MS
    at, then = (place(driven.plan, driven.join, ns) for ns in (now, later))
    new = plan(speed, t0_ns=now, number=2, x=at.x_m, y=sign * 0.1, heading=sign * 0.02)
    here = ego(speed, now, sign * 0.006, x=at.x_m, y=at.y_m, heading=at.heading_rad)
    reference = splice(new, driven, here, now, VEHICLE, LIMITS)
    found = place(new, reference.join, later)
    assert found.curvature_1pm == pytest.approx(then.curvature_1pm, abs=1e-3)
    assert abs(place(new, NO_JOIN, later).curvature_1pm - then.curvature_1pm) > 5e-3
    assert reference.trajectory.curvature_1pm[0] == pytest.approx(found.curvature_1pm, abs=1e-9)


def test_what_the_columns_say_is_what_the_points_do():
    """Heading and curvature of a fading reference are those of its own points."""
    driven = splice(bent(1, 0, 0.01), None, ego(8.0), 0, VEHICLE, LIMITS)
    at = place(driven.plan, driven.join, 100 * MS)
    new = bent(2, 100, 0.0, x=0.8, y=0.2, heading=0.01)
    here = ego(8.0, 100 * MS, 0.01, x=at.x_m, y=at.y_m, heading=at.heading_rad)
    t = splice(new, driven, here, 100 * MS, VEHICLE, LIMITS).trajectory
    steps = np.hypot(np.diff(t.x_m), np.diff(t.y_m))
    towards = np.arctan2(np.diff(t.y_m), np.diff(t.x_m))
    middle = (t.heading_rad[1:] + t.heading_rad[:-1]) / 2
    np.testing.assert_allclose(towards, middle, atol=2e-3)
    bends = np.diff(t.heading_rad) / steps
    np.testing.assert_allclose(bends, (t.curvature_1pm[1:] + t.curvature_1pm[:-1]) / 2, atol=2e-3)


def test_a_plan_that_lies_far_aside_takes_a_longer_fade_and_keeps_the_limits():
    driven = splice(plan(8.0), None, ego(8.0), 0, VEHICLE, LIMITS)
    start = ego(8.0, 100 * MS, x=0.8)
    fades = []
    for aside in (0.1, 0.6, 1.4):
        new = plan(8.0, t0_ns=100 * MS, number=2, x=0.8, y=aside)
        found = splice(new, driven, start, 100 * MS, VEHICLE, LIMITS)
        pull = found.trajectory.speed_mps**2 * found.trajectory.curvature_1pm
        assert np.abs(np.diff(pull)).max() / DT <= LIMITS.lateral_jerk_mps3
        fades.append(found.join.fade_s)
    assert fades == sorted(fades) and fades[0] == FADES_S[0] < fades[2]


def test_a_reference_that_breaks_a_limit_is_refused_by_name():
    """A plan that nobody checked: the reference is checked again."""
    source = plan(12.0, 0.0, 0.05)  # 7.2 m/s2 to the side
    fault = splice(source, None, ego(12.0), 0, VEHICLE, LIMITS)
    assert isinstance(fault, Fault) and fault.code is Code.PLAN_REJECTED
    assert 'lateral_acceleration_mps2 7.2' in fault.message


@pytest.mark.parametrize(('apart', 'good'), [(0.95, True), (1.05, False)])
def test_a_car_that_is_not_where_the_reference_begins_gets_none(apart, good):
    found = splice(plan(8.0), None, ego(8.0, 0, y=apart), 0, VEHICLE, LIMITS)
    assert isinstance(found, Reference) is good
    turned = splice(plan(8.0), None, ego(8.0, 0, heading=apart * 0.3491), 0, VEHICLE, LIMITS)
    assert isinstance(turned, Reference) is good


def test_at_rest_nothing_fades_and_nothing_drifts():
    """The car stands 0.3 m beside the next plan's anchor and stays where it is."""
    driven = splice(plan(0.0), None, ego(0.0), 0, VEHICLE, LIMITS)
    for cycle in range(1, 50):
        now = cycle * 100 * MS
        new = plan(0.0, t0_ns=now, number=cycle + 1, y=0.3 * (-1) ** cycle)
        driven = splice(new, driven, ego(0.0, now), now, VEHICLE, LIMITS)
        poses = in_odom(driven)
        assert np.abs(poses[:, :2]).max() < 1e-6 and not driven.trajectory.speed_mps.any()


def test_the_anchor_is_where_the_car_is_now_not_where_it_was_seen():
    """Odometry of 60 ms ago: the reference begins where the car has come to since."""
    now = 160 * MS
    seen = ego(8.0, 100 * MS, 0.02, x=0.8)
    found = splice(plan(8.0, 0.0, 0.0), None, seen, now, VEHICLE, LIMITS)
    assert found.anchor.stamp_ns == now
    assert found.anchor.x_m == pytest.approx(0.8 + 8.0 * 0.06, abs=1e-3)
    assert found.anchor.heading_rad == pytest.approx(8.0 * 0.02 * 0.06)
    np.testing.assert_allclose(in_odom(found)[:, 1], 0.0, atol=1e-9)


def test_an_actuator_is_asked_so_much_ahead_as_it_is_late():
    """Steering and acceleration are shifted by the delay; poses, speed and curvature are not."""
    times = np.arange(1, 61) * DT
    source = plan(8.0, 0.3 * (times > 2.0), 0.02 * np.clip(times - 1.0, 0, 1))
    late = VEHICLE.model_copy(update={'actuator_delay_s': 0.2})
    ideal = splice(source, None, ego(8.0), 0, VEHICLE, LIMITS).trajectory
    ahead = splice(source, None, ego(8.0), 0, late, LIMITS).trajectory
    for name in ('x_m', 'y_m', 'heading_rad', 'speed_mps', 'curvature_1pm'):
        np.testing.assert_array_equal(getattr(ahead, name), getattr(ideal, name))
    for name in ('steering_rad', 'acceleration_mps2'):
        np.testing.assert_allclose(getattr(ahead, name)[:-2], getattr(ideal, name)[2:], atol=1e-9)


@pytest.mark.parametrize('back_ms', [4, 50, 90, 300, 1000, 50_000])
def test_a_clock_that_steps_back_neither_revives_a_plan_nor_makes_its_join_grow(back_ms):
    start = 1000 * SECOND
    driven = splice(plan(8.0, t0_ns=start), None, ego(8.0, start), start, VEHICLE, LIMITS)
    new = plan(8.0, t0_ns=start + 100 * MS, number=2, x=0.8, y=0.2)
    joined = splice(
        new, driven, ego(8.0, start + 200 * MS, x=1.6), start + 200 * MS, VEHICLE, LIMITS
    )
    now = start + (200 - back_ms) * MS
    found = splice(new, joined, ego(8.0, now, x=8e-3 * (200 - back_ms)), now, VEHICLE, LIMITS)
    if back_ms > 105:  # before the plan began, and beyond the jitter of a clock
        assert isinstance(found, Fault) and found.code is Code.PLAN_FUTURE
    else:
        assert -0.01 < in_odom(found)[:, 1].min() and in_odom(found)[:, 1].max() < 0.21
        assert found.valid_until_ns == new.valid_until_ns


@pytest.mark.parametrize('turn', [0.5, 1.5, np.pi / 2, np.pi, -np.pi / 2, -2.0])
def test_a_plan_that_points_elsewhere_is_a_jump(turn):
    """Odometry that turned at once: refused as what it is, a stop and not the end."""
    driven = splice(plan(8.0), None, ego(8.0), 0, VEHICLE, LIMITS)
    new = plan(8.0, t0_ns=100 * MS, number=2, x=0.8, heading=turn)
    fault = splice(new, driven, ego(8.0, 100 * MS, x=0.8), 100 * MS, VEHICLE, LIMITS)
    assert isinstance(fault, Fault) and fault.code is Code.PLAN_JUMP


def test_any_pair_of_sound_plans_gives_a_reference_inside_the_limits_or_a_stop():
    """Never INTERNAL: that would end driving for good."""
    rng = np.random.default_rng(1)
    made = 0
    for _ in range(400):
        speed, later = rng.uniform(0, 13, 2)
        bends = rng.uniform(-0.2, 0.2, 2) / np.maximum(1.0, np.array([speed, later]) ** 2 / 25)
        driven = splice(plan(speed, 0.0, bends[0]), None, ego(speed), 0, VEHICLE, LIMITS)
        if isinstance(driven, Fault):
            continue
        at, now = place(driven.plan, driven.join, 100 * MS), 100 * MS
        aside, turn = rng.normal(size=2) * [0.4, 0.2]
        where = {'x': at.x_m, 'y': at.y_m + aside, 'heading': at.heading_rad + turn}
        new = plan(later, 0.0, bends[1], t0_ns=now, number=2, **where)
        here = ego(speed, now, bends[0], x=at.x_m, y=at.y_m, heading=at.heading_rad)
        found = splice(new, driven, here, now, VEHICLE, LIMITS)
        if isinstance(found, Fault):
            assert found.code in (Code.PLAN_JUMP, Code.PLAN_REJECTED)
            continue
        made += 1
        pull = found.trajectory.speed_mps**2 * found.trajectory.curvature_1pm
        assert np.abs(pull).max() <= LIMITS.lateral_acceleration_mps2
        assert np.abs(found.trajectory.steering_rad).max() <= LIMITS.steering_rad
    assert made > 50
