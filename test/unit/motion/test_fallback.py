"""The stop along the last valid path: profile, path, escalation, dead reckoning."""

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, TIME, VEHICLE, P, ego, plan
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.fallback import (
    begin,
    dead_reckon,
    escalate,
    nearest_arc,
    rise_mps,
    stop_acceleration,
    stop_trajectory,
)
from alpamayo_ros.motion.plan import sample, to_odom
from alpamayo_ros.motion.stop_check import check_stop


def profile(stop, until_s=12.0):
    """Wanted acceleration every 10 ms from t = 0, and its jerk."""
    time = (np.arange(0, until_s, 0.01) * SECOND).astype(np.int64)
    wanted = stop_acceleration(stop, time, LIMITS)
    return time / SECOND, wanted, np.diff(wanted) / 0.01


def test_profile_of_a_stop_from_constant_speed():
    """Nothing until the plan expires at 0.5 s, then -0.3 m/s3 down to -1.0 m/s2."""
    time, wanted, _ = profile(begin(plan(8.0), ego(8.0), 0, VEHICLE, LIMITS))
    assert not wanted[time < 0.5].any()
    np.testing.assert_allclose(wanted, -np.clip((time - 0.5) * 0.3, 0, 1), atol=1e-9)


def test_deceleration_is_one_metre_per_second_squared():
    """F03: within 5 % of -1.0 m/s2 once the ramp is over."""
    rest = stop_trajectory(
        begin(plan(9.0), ego(9.0), 0, VEHICLE, LIMITS), ego(9.0), VEHICLE, LIMITS, 120, DT
    )
    driving = (rest.speed_mps > 0.2) & (np.arange(120) * DT > 4.0)
    np.testing.assert_allclose(rest.acceleration_mps2[driving], -1.0, rtol=0.05)
    assert rest.speed_mps[-1] == 0.0


def test_a_plan_that_brakes_harder_is_never_softened():
    braking = plan(8.0, -3.0)
    rest = stop_trajectory(
        begin(braking, ego(8.0), 0, VEHICLE, LIMITS), ego(8.0), VEHICLE, LIMITS, P, DT
    )
    np.testing.assert_allclose(rest.speed_mps, braking.trajectory.speed_mps, atol=1e-9)


def test_acceleration_of_the_plan_is_released():
    time, wanted, jerk = profile(begin(plan(4.0, 1.2), ego(4.0), 0, VEHICLE, LIMITS))
    assert wanted[time > 1.35].max() <= 1e-9  # 0.5 s + 1.2 / 1.5
    assert np.abs(jerk).max() <= 1.5 + 1e-6


@given(
    acceleration=st.floats(-4, 2),
    hard_s=st.one_of(st.none(), st.floats(0, 8)),
)
def test_the_stop_profile_never_exceeds_its_jerk(acceleration, hard_s):
    stop = begin(plan(8.0, acceleration), ego(8.0), 0, VEHICLE, LIMITS)
    if hard_s is not None:
        stop = escalate(stop, int(hard_s * SECOND))
    time, wanted, jerk = profile(stop)
    own = acceleration * np.ones_like(time)
    ours = (wanted[1:] < own[1:] - 1e-9) & (wanted[:-1] < own[:-1] - 1e-9)  # not the plan's own
    braking = ours & (wanted[1:] < 0) & (wanted[:-1] < 0)
    limit = LIMITS.stop_jerk_mps3 if hard_s is None else LIMITS.hard_stop_jerk_mps3
    if acceleration < 0:  # after the plan's end its braking is kept
        assert wanted.max() <= 1e-9
    moved = ours & ((time[1:] < P * DT - 0.2) | (acceleration >= 0))
    assert np.abs(jerk[braking & moved]).max(initial=0) <= limit + 1e-6
    assert np.abs(jerk[moved]).max(initial=0) <= LIMITS.hard_stop_jerk_mps3 + 1e-6
    lowest = (
        LIMITS.stop_deceleration_mps2 if hard_s is None else LIMITS.hard_stop_deceleration_mps2
    )
    assert wanted.min() >= min(acceleration, -lowest) - 1e-9


def test_escalation_brakes_with_two_and_a_half():
    stop = escalate(begin(plan(9.0), ego(9.0), 0, VEHICLE, LIMITS), 2 * SECOND)
    time, wanted, _ = profile(stop)
    assert wanted[np.searchsorted(time, 2.0)] == pytest.approx(-0.45, abs=0.01)
    assert wanted[-1] == pytest.approx(-2.5)
    assert escalate(stop, 3 * SECOND).hard_ns == 2 * SECOND


def test_follows_the_path_of_the_plan():
    curve = np.sin(TIME) / 25
    old = plan(8.0, 0.0, curve)
    rest = stop_trajectory(
        begin(old, ego(8.0), 0, VEHICLE, LIMITS), ego(8.0), VEHICLE, LIMITS, P, DT
    )
    path = np.stack([old.trajectory.x_m, old.trajectory.y_m], -1)
    xy = np.stack([rest.x_m, rest.y_m], -1)
    gap = np.sqrt(((xy[:, None] - path[None]) ** 2).sum(-1)).min(axis=1)
    assert gap.max() < 0.45  # points are 0.8 m apart, the path itself is closer
    heading = np.interp(rest.x_m, old.trajectory.x_m, old.trajectory.heading_rad)
    assert np.abs(rest.heading_rad - heading).max() < 0.02


def test_beyond_the_plan_the_last_curvature_goes_on():
    old = plan(8.0, 0.0, 1 / 40)
    rest = stop_trajectory(
        begin(old, ego(8.0), 0, VEHICLE, LIMITS), ego(8.0), VEHICLE, LIMITS, 130, DT
    )
    radius = np.hypot(rest.x_m, rest.y_m - 40)
    assert rest.x_m.max() > 0 and np.abs(radius - 40).max() < 0.05
    np.testing.assert_allclose(rest.curvature_1pm, 1 / 40, atol=1e-9)


def test_no_plan_means_the_present_circle():
    start = ego(5.0, 0, 1 / 20)
    rest = stop_trajectory(begin(None, start, 0, VEHICLE, LIMITS), start, VEHICLE, LIMITS, 120, DT)
    assert np.abs(np.hypot(rest.x_m, rest.y_m - 20) - 20).max() < 0.05
    assert rest.speed_mps[-1] == 0.0


def test_at_rest_the_stop_is_standing_still():
    rest = stop_trajectory(
        begin(plan(0.0), ego(0.0), 0, VEHICLE, LIMITS), ego(0.0), VEHICLE, LIMITS, P, DT
    )
    assert not rest.speed_mps.any() and np.abs(rest.x_m).max() < 1e-6
    restless = ego(0.1)
    rest = stop_trajectory(
        begin(plan(1.0, 1.0), restless, 0, VEHICLE, LIMITS), restless, VEHICLE, LIMITS, P, DT
    )
    assert not rest.speed_mps.any()  # even if the plan was about to drive off


def test_seen_again_later_it_is_the_same_stop():
    """Dead reckoning two seconds into the stop and asking again gives the same remainder."""
    stop = begin(plan(8.0, 0.0, 1 / 50), ego(8.0), 0, VEHICLE, LIMITS)
    whole = stop_trajectory(stop, ego(8.0), VEHICLE, LIMITS, 100, DT)
    later = dead_reckon(stop, ego(8.0), VEHICLE, LIMITS, 2 * SECOND)
    assert later.stamp_ns == 2 * SECOND
    assert later.speed_mps == pytest.approx(whole.speed_mps[19], abs=1e-3)
    rest = stop_trajectory(stop, later, VEHICLE, LIMITS, 80, DT)
    poses = np.stack([rest.x_m, rest.y_m, rest.heading_rad], -1)
    back = to_odom(poses, later)
    np.testing.assert_allclose(back[:, 0], whole.x_m[20:], atol=0.02)
    np.testing.assert_allclose(back[:, 1], whole.y_m[20:], atol=0.02)


def test_dead_reckoning_never_goes_back():
    stop = begin(plan(8.0), ego(8.0), 0, VEHICLE, LIMITS)
    assert dead_reckon(stop, ego(8.0, SECOND), VEHICLE, LIMITS, 0).stamp_ns == SECOND


def test_nearest_point_of_the_path():
    stop = begin(plan(8.0), ego(8.0), 0, VEHICLE, LIMITS)
    assert nearest_arc(stop, ego(8.0, x=12.3, y=0.4)) == pytest.approx(12.3, abs=1e-6)


def test_sample_holds_both_ends():
    t = plan(5.0).trajectory
    at = sample(t, ego(5.0), np.array([-1.0, 0.05, 99.0]))
    np.testing.assert_allclose(at['x_m'], [0.0, 0.25, 30.0])


STOPS = ('stop_deceleration_mps2', 'hard_stop_deceleration_mps2', 'deceleration_mps2')


@pytest.mark.parametrize('speed', [3.7, 8.0, 14.0])
@pytest.mark.parametrize('most_mps2', [1.1, 2.5, 9.0, 12.0])
def test_a_stop_that_may_brake_as_hard_as_a_plan_passes_its_own_check(speed, most_mps2):
    """Equal limits are no contradiction: what a stop asks for is what it says, to the last bit."""
    values = {**LIMITS.model_dump(), **dict.fromkeys(STOPS, most_mps2)}
    values |= {'deceleration_warn_mps2': 1.0, 'stop_jerk_mps3': 50.0, 'hard_stop_jerk_mps3': 50.0}
    limits, here = Limits.model_validate(values), ego(speed)
    stop = begin(plan(speed), here, SECOND, VEHICLE, limits)
    for one in (stop, escalate(stop, SECOND)):
        rest = stop_trajectory(one, here, VEHICLE, limits, 60, DT)
        checks = check_stop(rest, here, limits, rise_mps(one, 0, limits))
        assert checks.ok[0], [c for c in checks.of(0) if not c.ok]
        assert (-rest.acceleration_mps2).max() == pytest.approx(most_mps2)


def test_under_a_lowered_acceleration_the_stop_of_a_plan_that_pulls_still_leaves():
    """A person's cap may come between a plan and its stop."""
    limits = LIMITS.model_copy(update={'acceleration_mps2': 0.3, 'acceleration_warn_mps2': 0.3})
    stop = begin(plan(8.0, 2.0), ego(8.0), 0, VEHICLE, limits)
    rest = stop_trajectory(stop, ego(8.0), VEHICLE, limits, 60, DT)
    assert rest.acceleration_mps2.max() == 0.3
    assert check_stop(rest, ego(8.0), limits, rise_mps(stop, 0, limits)).ok[0]
