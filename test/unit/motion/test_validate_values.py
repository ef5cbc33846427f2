"""The numbers that the checks compare, against calculations by hand, and the table of them all."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, TIME, P, ego, plan, rollout, truth

from alpamayo_ros.motion.validate import CheckResult, Checks, validate

INF = float('inf')
TABLE = {  # name -> warning, limit
    'not_finite': (INF, 0.5),
    'points_missing': (INF, 0.5),
    'dt_error_s': (INF, LIMITS.dt_tolerance_s),
    'dt_not_positive': (INF, 0.5),
    'start_position_m': (LIMITS.start_position_warn_m, LIMITS.start_position_m),
    'start_yaw_rad': (LIMITS.start_yaw_warn_rad, LIMITS.start_yaw_rad),
    'start_speed_mps': (LIMITS.start_speed_warn_mps, LIMITS.start_speed_mps),
    'lateral_acceleration_mps2': (
        LIMITS.lateral_acceleration_warn_mps2,
        LIMITS.lateral_acceleration_mps2,
    ),
    'lateral_jerk_mps3': (LIMITS.lateral_jerk_warn_mps3, LIMITS.lateral_jerk_mps3),
    'acceleration_mps2': (LIMITS.acceleration_warn_mps2, LIMITS.acceleration_mps2),
    'deceleration_mps2': (LIMITS.deceleration_warn_mps2, LIMITS.deceleration_mps2),
    'curvature_1pm': (INF, LIMITS.curvature_1pm),
    'steering_rad': (INF, LIMITS.steering_rad),
    'steering_rate_rps': (INF, LIMITS.steering_rate_rps),
    'reversing_mps': (INF, 1e-9),
    'above_speed_cap_mps': (INF, LIMITS.speed_tolerance_mps),
    'path_short_m': (INF, 0.01),
    'path_length_error_m': (INF, LIMITS.path_length_error_m),
    'raw_deviation_m': (LIMITS.raw_deviation_warn_m, LIMITS.raw_deviation_m),
    'jump_lateral_m': (LIMITS.jump_lateral_warn_m, LIMITS.jump_lateral_m),
    'jump_forward_m': (LIMITS.jump_forward_warn_m, INF),
}


def values(result, start=None, raw=None, cap=50.0, previous=None, dt_s=DT):
    """Check name -> value of the first of two equal candidates."""
    raw = result.poses if raw is None else raw
    both = replace(result, **{n: np.repeat(getattr(result, n), 2, axis=0) for n in ARRAYS})
    start = ego(8.0) if start is None else start
    checks = validate(np.repeat(raw, 2, axis=0), both, start, previous, LIMITS, cap, dt_s)
    assert np.array_equal(checks.values[0], checks.values[1], equal_nan=True)
    return dict(zip(checks.names, checks.values[0].tolist(), strict=True))


ARRAYS = ('poses', 'speed_mps', 'acceleration_mps2', 'steering_rad', 'curvature_1pm')


def made(speed=8.0, **arrays):
    """A straight drive at constant speed whose named arrays are replaced."""
    base = rollout(speed)
    return replace(base, **{k: np.broadcast_to(v, (1, P)).copy() for k, v in arrays.items()})


def line(speed=8.0, heading=0.0, points=P):
    """Raw waypoints straight ahead at constant speed, seen under ``heading``."""
    along = speed * DT * np.arange(1, points + 1)
    turned = np.full(points, heading)
    return np.stack([along * np.cos(heading), along * np.sin(heading), turned], axis=-1)[None]


def test_every_check_stands_in_the_table_with_its_limits():
    checks = validate(rollout().poses, rollout(), ego(8.0), None, LIMITS, 50.0, DT)
    table = zip(checks.names, checks.warns, checks.limits, strict=True)
    assert [(n, w, m) for n, w, m in table] == [(n, *row) for n, row in TABLE.items()]


def test_a_good_drive_has_these_numbers():
    found = values(rollout())
    for name in ('not_finite', 'points_missing', 'dt_error_s', 'dt_not_positive'):
        assert found[name] == 0.0
    assert found['path_short_m'] == pytest.approx(64 / 18 - 48.0)
    for name in TABLE:
        if name not in ('path_short_m', 'reversing_mps', 'above_speed_cap_mps'):
            assert found[name] == pytest.approx(0.0, abs=1e-6), name
    assert found['reversing_mps'] == pytest.approx(-8.0)
    assert found['above_speed_cap_mps'] == pytest.approx(8.0 - 50.0)


CHECKS = Checks(
    ('a', 'b'),
    np.array([[1.0, 2.0], [1.5, 0.0], [0.5, 3.0], [np.nan, 0.0], [0.0, 5.0], [-np.inf, 0.0]]),
    np.array([0.5, np.inf]),
    np.array([1.0, 2.0]),
)


def test_at_the_limit_is_within_it_and_nothing_that_is_not_finite_is():
    assert CHECKS.ok.tolist() == [True, False, False, False, False, False]
    unlimited = replace(CHECKS, values=np.array([[np.inf, 0.0]]), limits=np.full(2, np.inf))
    assert unlimited.ok.tolist() == [False]


def test_warned_beyond_the_warning_or_the_limit():
    warned = [[True, False], [True, False], [False, True], [True, False], [False, True]]
    assert CHECKS.warned.tolist() == [*warned, [False, False]]


def test_rejections_are_counted_by_check():
    assert CHECKS.rejections() == {'a': 2, 'b': 2}
    assert replace(CHECKS, values=CHECKS.values[:2]).rejections() == {'a': 1}


def test_the_checks_of_one_candidate():
    assert CHECKS.of(0) == [
        CheckResult('a', 1.0, 0.5, 1.0, True),
        CheckResult('b', 2.0, INF, 2.0, True),
    ]
    assert [c.ok for c in CHECKS.of(2)] == [True, False]


@pytest.mark.parametrize(
    ('value', 'warn', 'warned'),
    [(0.5, 0.5, False), (0.6, 0.5, True), (2.0, INF, False), (2.1, INF, True), (np.nan, 1, True)],
)
def test_a_result_is_warned_beyond_the_lower_of_warning_and_limit(value, warn, warned):
    assert CheckResult('a', value, float(warn), 2.0, True).warned is warned


@pytest.mark.parametrize('where', [(0, 0), (30, 1), (59, 2)])
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_a_raw_waypoint_that_is_not_finite(where, bad):
    raw = rollout().poses.copy()
    raw[0][where] = bad
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # NaN is an answer here, not an accident
        assert values(rollout(), raw=raw)['not_finite'] == 1.0


def test_form():
    assert values(rollout(), raw=line(points=P - 1))['points_missing'] == 1.0
    for dt_s in (DT + 0.02, DT - 0.02):
        assert values(replace(rollout(), dt_s=dt_s))['dt_error_s'] == pytest.approx(0.02)
    for dt_s, wrong in ((0.0, 1.0), (-0.1, 1.0), (float('nan'), 1.0), (1e-6, 0.0)):
        with np.errstate(all='ignore'):
            assert values(replace(rollout(), dt_s=dt_s))['dt_not_positive'] == wrong


@pytest.mark.parametrize(('speed', 'ahead_m'), [(8.0, 0.8), (0.0, 0.0), (-2.0, 0.0)])
def test_start_position(speed, ahead_m):
    """Where the car will be after one step; rolling backwards counts as standing."""
    raw = np.zeros((1, P, 3))
    raw[0, 0, :2] = ahead_m + 0.03, -0.04
    raw[0, 1:, :2] = 50.0
    found = values(rollout(), ego(speed), raw=raw)
    assert found['start_position_m'] == pytest.approx(0.05)


@pytest.mark.parametrize('sign', [-1, 1])
def test_start_yaw_is_judged_over_three_points_of_a_turn(sign):
    turn = replace(ego(8.0), yaw_rate_rps=sign * 0.5)
    raw = line()
    raw[0, :, 2] = sign * 0.5 * DT * np.arange(1, P + 1)
    assert values(rollout(), turn, raw=raw)['start_yaw_rad'] == pytest.approx(0.0, abs=1e-9)
    raw[0, :3, 2] += 0.2
    raw[0, 3:, 2] += 1.0
    assert values(rollout(), turn, raw=raw)['start_yaw_rad'] == pytest.approx(0.2)
    raw[0, 0, 2] += 0.3
    assert values(rollout(), turn, raw=raw)['start_yaw_rad'] == pytest.approx(0.3)


@pytest.mark.parametrize('heading', [0.0, 0.6, -2.0])
@pytest.mark.parametrize('speed', [7.0, 10.0])
def test_start_speed_is_the_progress_of_five_points_along_their_heading(speed, heading):
    raw = line(speed, heading)
    raw[0, 5:, :2] *= 3.0
    assert values(rollout(), raw=raw)['start_speed_mps'] == pytest.approx(abs(speed - 8.0))


def test_start_speed_is_the_slope_of_a_fitted_line():
    raw = line(0.0)
    raw[0, :5, 0] = [0.0, 1.0, 1.0, 3.0, 2.0]
    slope = np.polyfit(DT * np.arange(5), [0.0, 1.0, 1.0, 3.0, 2.0], 1)[0]
    assert values(rollout(), raw=raw)['start_speed_mps'] == pytest.approx(abs(slope - 8.0))


@pytest.mark.parametrize('points', [3, 4])
def test_fewer_points_than_are_looked_at(points):
    short = replace(rollout(), **{n: getattr(rollout(), n)[:, :points] for n in ARRAYS})
    found = values(short, raw=line(7.0, points=points))
    assert found['start_speed_mps'] == pytest.approx(1.0)
    assert found['start_yaw_rad'] == pytest.approx(0.0)


def test_ride_looks_at_the_largest_of_either_sign():
    bend = np.zeros(P)
    bend[10:20], bend[20:30] = 0.02, -0.03
    found = values(made(curvature_1pm=bend))
    assert found['lateral_acceleration_mps2'] == pytest.approx(64 * 0.03)
    assert found['lateral_jerk_mps3'] == pytest.approx(64 * 0.05 / DT)
    assert found['curvature_1pm'] == pytest.approx(0.03)
    wheel = np.zeros(P)
    wheel[10:20], wheel[20:30] = 0.02, -0.03
    found = values(made(steering_rad=wheel))
    assert found['steering_rad'] == pytest.approx(0.03)
    assert found['steering_rate_rps'] == pytest.approx(0.05 / DT)
    push = np.zeros(P)
    push[5], push[6] = 1.5, -2.5
    found = values(made(acceleration_mps2=push))
    assert found['acceleration_mps2'] == 1.5 and found['deceleration_mps2'] == 2.5
    back = np.full(P, 1.0)
    back[7] = -0.25
    assert values(made(speed_mps=back))['reversing_mps'] == 0.25


@pytest.mark.parametrize(('cap', 'above'), [(7.0, 1.0), (5.0, 3.0), (0.0, 6.0)])
def test_above_a_cap_that_is_lower_than_the_speed(cap, above):
    """Braking gently down to the cap is no excess: 8 m/s held is, by what it should have lost."""
    assert values(rollout(), cap=cap)['above_speed_cap_mps'] == pytest.approx(above)
    braking = 8.0 - LIMITS.stop_deceleration_mps2 * TIME
    found = values(made(speed_mps=np.maximum(braking, cap)), cap=cap)
    assert found['above_speed_cap_mps'] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ('speed', 'shortest_m'), [(0.0, 0.0), (-1.0, 0.0), (9.0, 4.5), (90.0, 378.0)]
)
def test_the_shortest_way_is_full_braking_over_the_horizon(speed, shortest_m):
    """90 m/s for 6 s at -9 m/s2: 540 - 162 m."""
    standing = replace(rollout(0.0), poses=np.zeros((1, P, 3)))
    assert values(standing, ego(speed))['path_short_m'] == pytest.approx(shortest_m)


def test_length_of_the_path_against_the_integral_of_the_speeds():
    poses, speeds = truth(4.0, 0.5)
    drive = rollout(4.0, 0.5)
    found = values(drive, ego(4.0))
    assert found['path_length_error_m'] == pytest.approx(0.0, abs=1e-9)
    before = np.concatenate([[4.0], speeds[:-1]])
    longer = drive.poses.copy()
    longer[:, 30:, 1] = 2.0  # a step aside
    length = np.hypot(np.diff(longer[0, :, 0], prepend=0), np.diff(longer[0, :, 1], prepend=0))
    integral = ((before + speeds) / 2 * DT).sum()
    found = values(replace(drive, poses=longer), ego(4.0))
    assert found['path_length_error_m'] == pytest.approx(abs(length.sum() - integral))
    assert found['path_length_error_m'] > 1.0 and poses.shape == (P, 3)
    still = replace(rollout(0.0), poses=np.zeros((1, P, 3)))
    assert values(still, ego(0.0))['path_length_error_m'] == 0.0
    assert values(still, ego(-3.0))['path_length_error_m'] == 0.0


def brute(raw, points):
    """Largest distance of points from a polyline that begins at the origin, by sampling it."""
    knots = np.concatenate([np.zeros((1, 2)), raw])
    share = np.linspace(0, 1, 2001)[:, None]
    dense = np.concatenate([a + share * (b - a) for a, b in zip(knots, knots[1:], strict=False)])
    return max(np.hypot(*(dense - point).T).min() for point in points)


@pytest.mark.parametrize('seed', range(4))
def test_deviation_is_the_distance_from_the_polyline_of_the_raw_points(seed):
    rng = np.random.default_rng(seed)
    raw = line() + rng.normal(size=(1, P, 3)) * [0.5, 0.5, 0.0]
    raw[0, 12] = raw[0, 11]  # a leg of no length
    driven = rollout()
    driven = replace(driven, poses=driven.poses + rng.normal(size=(1, P, 3)) * 0.4)
    expected = brute(raw[0, :30, :2], driven.poses[0, 2:30:3, :2])
    assert values(driven, raw=raw)['raw_deviation_m'] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize('index', [*range(9), 27, 28, 29, 30, 32, 35])
def test_every_third_point_of_half_the_horizon_is_compared(index):
    poses = rollout().poses.copy()
    poses[0, index, 1] = 0.7
    found = values(replace(rollout(), poses=poses), raw=rollout().poses)
    seen = index % 3 == 2 and index * DT < LIMITS.raw_deviation_horizon_s
    assert found['raw_deviation_m'] == pytest.approx(0.7 if seen else 0.0, abs=1e-6)


def test_before_the_first_raw_point_the_way_from_the_car_counts():
    raw = line()
    raw[0, :, :2] += [30.0, 0.0]
    assert values(rollout(), raw=raw)['raw_deviation_m'] == pytest.approx(0.0, abs=1e-6)


def test_jumps_are_told_apart_by_direction():
    new = replace(rollout(t0_ns=SECOND // 10))
    poses = new.poses.copy()
    poses[0, 5, :2] += [0.3, 0.2]
    start = ego(8.0, SECOND // 10, x=0.8)
    found = values(replace(new, poses=poses), start, previous=plan(8.0))
    assert found['jump_lateral_m'] == pytest.approx(0.2, abs=1e-6)
    assert found['jump_forward_m'] == pytest.approx(0.3, abs=1e-6)
