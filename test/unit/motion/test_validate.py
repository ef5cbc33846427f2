"""Plans that are sound, and what is not finite, mistimed or incomplete; edges: test_margins."""

from dataclasses import replace

import numpy as np
import pytest
from drives import DT, LIMITS, SECOND, VEHICLE, P, ego, noisy, plan, rollout, truth

from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.validate import validate


def check(result, start, raw=None, previous=None, cap=50.0):
    """Value and verdict of every check of the first candidate."""
    raw = result.poses.astype(np.float64) if raw is None else raw
    checks = validate(raw, result, start, previous, LIMITS, cap, DT)
    return {c.name: c for c in checks.of(0)}, bool(checks.ok[0])


def made(speed, **arrays):
    """A straight drive at constant speed whose named arrays are replaced."""
    base = rollout(speed)
    return replace(base, **{k: np.broadcast_to(v, (1, P)).copy() for k, v in arrays.items()})


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
