"""Every limit of a plan: just inside passes, just outside fails, at five speeds, both signs."""

from dataclasses import replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, TIME, VEHICLE, P, ego, noisy, plan, rollout, truth

from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.validate import validate

SPEEDS = [1.0, 3.0, 5.0, 8.0, 12.0]
IN, OUT = 0.999, 1.001


def check(result, start, raw=None, previous=None, cap=50.0):
    """Value and verdict of every check of the first candidate."""
    raw = result.poses.astype(np.float64) if raw is None else raw
    checks = validate(raw, result, start, previous, LIMITS, cap, DT)
    return {c.name: c for c in checks.of(0)}, bool(checks.ok[0])


def made(speed, **arrays):
    """A straight drive at constant speed whose named arrays are replaced."""
    base = rollout(speed)
    return replace(base, **{k: np.broadcast_to(v, (1, P)).copy() for k, v in arrays.items()})


def pair(name, build, speed):
    """The check passes just inside and fails just outside, and nothing else decides."""
    inside, outside = build(IN), build(OUT)
    assert inside[0][name].ok
    assert not outside[0][name].ok and not outside[1]


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize('speed', SPEEDS)
class TestEdges:
    def test_lateral_acceleration(self, speed, sign):
        top = LIMITS.lateral_acceleration_mps2 / speed**2
        pair(
            'lateral_acceleration_mps2',
            lambda f: check(made(speed, curvature_1pm=sign * f * top), ego(speed)),
            speed,
        )

    def test_lateral_jerk(self, speed, sign):
        step = LIMITS.lateral_jerk_mps3 * DT / speed**2
        pair(
            'lateral_jerk_mps3',
            lambda f: check(made(speed, curvature_1pm=sign * f * step * (TIME > 2)), ego(speed)),
            speed,
        )

    def test_longitudinal(self, speed, sign):
        name, top = ('acceleration_mps2', 4.0) if sign > 0 else ('deceleration_mps2', 9.0)
        pair(name, lambda f: check(made(speed, acceleration_mps2=sign * f * top), ego(speed)), 0)

    def test_curvature(self, speed, sign):
        top = LIMITS.curvature_1pm
        pair(
            'curvature_1pm',
            lambda f: check(made(speed, curvature_1pm=sign * f * top), ego(speed)),
            speed,
        )

    def test_steering(self, speed, sign):
        top = LIMITS.steering_rad
        pair(
            'steering_rad',
            lambda f: check(made(speed, steering_rad=sign * f * top), ego(speed)),
            speed,
        )

    def test_steering_rate(self, speed, sign):
        step = LIMITS.steering_rate_rps * DT
        pair(
            'steering_rate_rps',
            lambda f: check(made(speed, steering_rad=sign * f * step * (TIME > 2)), ego(speed)),
            speed,
        )

    def test_start_position(self, speed, sign):
        result = rollout(speed)

        def build(f):
            raw = result.poses.copy()
            raw[:, 0, 1] += sign * f * LIMITS.start_position_m
            return check(result, ego(speed), raw)

        pair('start_position_m', build, speed)

    def test_start_yaw(self, speed, sign):
        result = rollout(speed)

        def build(f):
            raw = result.poses.copy()
            raw[:, :3, 2] += sign * f * LIMITS.start_yaw_rad
            return check(result, ego(speed), raw)

        pair('start_yaw_rad', build, speed)

    def test_start_speed(self, speed, sign):
        """The model plans at another constant speed than the ego has."""
        if sign < 0 and speed < LIMITS.start_speed_mps * OUT:
            speed += LIMITS.start_speed_mps  # there are no negative speeds

        def build(f):
            raw = rollout(speed + sign * f * LIMITS.start_speed_mps).poses
            return check(rollout(speed), ego(speed), raw)

        pair('start_speed_mps', build, speed)

    def test_jump_to_the_side(self, speed, sign):
        """The previous plan went straight; at 2 s the new one lies just about 1.5 m beside it."""
        result = rollout(speed)
        ahead = int(LIMITS.jump_horizon_s / DT)

        def build(f):
            moved = result.poses.copy()
            moved[:, ahead - 1, 1] += sign * f * LIMITS.jump_lateral_m
            new = replace(result, t0_ns=SECOND // 10, poses=moved)
            start = ego(speed, SECOND // 10, x=speed * 0.1)
            return check(new, start, previous=plan(speed))

        pair('jump_lateral_m', build, speed)

    def test_path_length_against_speed(self, speed, sign):
        result = rollout(speed)

        def build(f):
            moved = result.poses.copy()
            moved[..., 0] *= 1 + sign * f * LIMITS.path_length_error_m / (speed * 6.0)
            return check(replace(result, poses=moved), ego(speed), raw=result.poses)

        pair('path_length_error_m', build, speed)

    def test_distance_from_the_models_path(self, speed, sign):
        result = rollout(speed)

        def build(f):
            raw = result.poses.copy()
            raw[..., 1] += sign * f * LIMITS.raw_deviation_m
            return check(result, ego(speed), raw)

        inside, outside = build(IN), build(OUT * 1.5)
        assert inside[0]['raw_deviation_m'].ok and not outside[0]['raw_deviation_m'].ok


@pytest.mark.parametrize('speed', SPEEDS)
def test_shorter_than_any_brake_can_stop(speed):
    shortest = speed**2 / (2 * LIMITS.deceleration_mps2)
    for factor, ok in ((1.05, True), (0.8, False)):
        share = np.linspace(0, 1, P) * shortest * factor
        poses = np.stack([share, 0 * share, 0 * share], -1)[None]
        result = replace(rollout(speed), poses=poses)
        assert check(result, ego(speed))[0]['path_short_m'].ok is ok


@pytest.mark.parametrize('speed', SPEEDS)
def test_speed_cap(speed):
    fine = check(rollout(speed), ego(speed), cap=speed - 0.4)[0]['above_speed_cap_mps']
    much = check(rollout(speed), ego(speed), cap=speed - 0.6)[0]['above_speed_cap_mps']
    assert fine.ok and not much.ok


@pytest.mark.parametrize('speed', SPEEDS)
def test_a_plain_drive_passes_without_a_warning(speed):
    results, ok = check(rollout(speed), ego(speed))
    assert ok and not any(c.warned for c in results.values())


def test_standing_behind_a_stopped_car_is_a_plan():
    """A stationary trajectory at rest, noise and all: nothing is flagged."""
    raw = noisy(np.zeros((P, 3)), 0.03)
    result = roll_out(raw, ego(0.0), VEHICLE, LIMITS, 10.0, DT)
    checks = validate(raw, result, ego(0.0), None, LIMITS, 10.0, DT)
    assert checks.ok.all() and not checks.warned.any()


def test_coming_to_rest_is_a_plan():
    poses, _ = truth(2.0, -1.0)
    raw = noisy(poses, 0.03)
    result = roll_out(raw, ego(2.0), VEHICLE, LIMITS, 10.0, DT)
    assert validate(raw, result, ego(2.0), None, LIMITS, 10.0, DT).ok.all()


def test_emergency_braking_is_a_plan():
    poses, _ = truth(9.0, -8.0)
    raw = noisy(poses, 0.02)
    result = roll_out(raw, ego(9.0), VEHICLE, LIMITS, 10.0, DT)
    assert validate(raw, result, ego(9.0), None, LIMITS, 10.0, DT).ok.all()


@pytest.mark.parametrize('dt', [0.0989, 0.1011, 0.0, -0.1, np.nan])
def test_wrong_time_step(dt):
    result = replace(rollout(8.0), dt_s=dt)
    with np.errstate(all='ignore'):
        assert not check(result, ego(8.0), raw=rollout(8.0).poses)[1]


def test_a_time_step_within_a_millisecond_passes():
    result = replace(rollout(8.0), dt_s=0.1005)
    assert check(result, ego(8.0), raw=rollout(8.0).poses)[0]['dt_error_s'].ok


def test_reversing_fails():
    assert not check(made(1.0, speed_mps=-0.01), ego(1.0))[1]


def test_missing_points_fail():
    short = rollout(8.0)
    assert not check(short, ego(8.0), raw=np.zeros((1, P + 1, 3)))[0]['points_missing'].ok


@pytest.mark.parametrize(
    'field', ['speed_mps', 'acceleration_mps2', 'steering_rad', 'curvature_1pm', 'poses']
)
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_not_finite_anywhere_fails(field, bad):
    result = rollout(8.0)
    broken = getattr(result, field).copy()
    broken.flat[37] = bad
    with np.errstate(all='ignore'):
        verdict = check(replace(result, **{field: broken}), ego(8.0), raw=result.poses)
    assert not verdict[1] and not verdict[0]['not_finite'].ok


def test_every_rejected_candidate_has_value_and_limit():
    results, ok = check(made(8.0, acceleration_mps2=5.0), ego(8.0))
    failed = [c for c in results.values() if not c.ok]
    assert not ok and failed
    assert all(c.value > c.limit for c in failed)


def test_a_tracking_error_is_no_jump():
    """The car is 20 cm beside the previous plan; the same motion from there is no jump."""
    result = rollout(8.0, t0_ns=SECOND // 10)
    start = ego(8.0, SECOND // 10, x=0.8, y=0.2)
    results, _ = check(result, start, previous=plan(8.0))
    assert results['jump_lateral_m'].value < 0.01 and results['jump_forward_m'].value < 0.01


def test_a_turned_frame_is_no_jump():
    """Equal circles seen from two poses on them are the same path."""
    bend, speed, moved = 1 / 20, 8.0, 0.8
    poses, _ = truth(speed, 0.0, bend)
    old = plan(speed, 0.0, bend, heading=1.0, x=5.0, y=-3.0)
    x, y, turn = poses[0]
    cos, sin = np.cos(1.0), np.sin(1.0)
    start = ego(speed, SECOND // 10, bend, 5 + cos * x - sin * y, -3 + sin * x + cos * y, 1 + turn)
    results, _ = check(rollout(speed, 0.0, bend, SECOND // 10), start, previous=old)
    assert moved > 0 and results['jump_lateral_m'].value < 0.01
