"""What the roll-out achieves on drives with known truth; it must not destroy stops nor creep."""

import numpy as np
import pytest
from drives import DT, LIMITS, TIME, VEHICLE, P, ego, noisy, truth

from alpamayo_ros.motion.rollout import roll_out

S_CURVE = np.sin(TIME * 1.2) / 30


def run(raw, start, cap=10.0, limits=LIMITS):
    return roll_out(raw, start, VEHICLE, limits, cap, DT)


def errors(result, poses):
    """Largest error across and along the true path at equal time [m]."""
    delta = result.poses[..., :2] - poses[:, :2]
    cos, sin = np.cos(poses[:, 2]), np.sin(poses[:, 2])
    across = np.abs(delta[..., 1] * cos - delta[..., 0] * sin)
    return across.max(), np.abs(delta[..., 0] * cos + delta[..., 1] * sin).max()


DRIVES = {
    'straight': (8.0, 0.0, 0.0),
    'circle of 30 m': (8.0, 0.0, 1 / 30),
    'tight at walking speed': (1.5, 0.0, 0.15),
    'winding': (8.0, 0.0, S_CURVE),
    'stop from 8 m/s': (8.0, np.where(TIME > 1, -1.6, 0.0), np.sin(TIME) / 40),
    'start': (0.0, 1.2, 0.02),
    'wait, then go': (0.0, np.where(TIME > 3, 1.2, 0.0), 0.0),
    'brake hard': (9.0, np.where(TIME > 0.5, -5.0, 0.0), 0.0),
    'last half metre': (1.0, -1.0, 0.0),
    'out of a bend': (4.3, np.where(TIME > 1, 1.0, 0.0), np.interp(TIME, [1.2, 2.4], [0.08, 0.0])),
}


@pytest.mark.parametrize('name', DRIVES)
@pytest.mark.parametrize('sigma', [0.0, 0.03])
def test_stays_within_ten_centimetres(name, sigma):
    speed, acceleration, curvature = DRIVES[name]
    poses, v = truth(speed, acceleration, curvature)
    first = float(np.atleast_1d(curvature)[0])
    result = run(noisy(poses, sigma), ego(speed, curvature=first))
    across, along = errors(result, poses)
    assert across < 0.1 and along < 0.1
    assert np.abs(result.speed_mps - v).max() < 0.5
    assert (result.speed_mps >= 0).all()


@pytest.mark.parametrize('name', ['stop from 8 m/s', 'brake hard', 'last half metre'])
def test_a_stop_stays_a_stop(name):
    speed, acceleration, curvature = DRIVES[name]
    poses, v = truth(speed, acceleration, curvature)
    result = run(noisy(poses), ego(speed))
    stopped = np.flatnonzero(v <= 1e-9)
    late = stopped[stopped > stopped[0] + 6] if len(stopped) else stopped
    assert not result.speed_mps[:, late].any()


@pytest.mark.parametrize('sigma', [0.0, 0.01, 0.03, 0.05])
def test_at_rest_it_stays_at_rest(sigma):
    for seed in range(20):
        result = run(noisy(np.zeros((P, 3)), sigma, seed), ego(0.0))
        assert not result.speed_mps.any() and not result.poses.any()


def test_a_start_is_not_swallowed():
    poses, _ = truth(0.0, 0.6)
    result = run(noisy(poses), ego(0.0))
    assert (result.speed_mps[:, -1] > 3.0).all()
    assert (result.poses[:, 15, 0] > 0.3).all()


def test_starts_at_the_pose_and_speed_of_the_ego():
    poses, _ = truth(8.0)
    result = run(noisy(poses + [0.0, 0.4, 0.0]), ego(8.0))
    assert np.abs(result.poses[:, 0] - [0.8, 0, 0]).max() < 0.05


def test_a_slower_cap_keeps_the_path():
    """At 5 instead of 8 m/s the same circle is driven, only not as far."""
    poses, _ = truth(8.0, 0.0, 1 / 30)
    result = run(noisy(poses), ego(8.0, curvature=1 / 30), cap=5.0)
    radius = np.hypot(result.poses[..., 0], result.poses[..., 1] - 30)
    assert np.abs(radius - 30).max() < 0.1
    allowed = np.maximum(5.0, 8.0 - LIMITS.stop_deceleration_mps2 * TIME)
    assert (result.speed_mps <= allowed + 1e-9).all()
    assert result.speed_mps[:, -1] == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize('speed', [0.5, 3.0, 6.0, 9.0, 20.0])
def test_limits_hold_whatever_is_asked(speed, sign):
    """A right-angle turn at once: no bicycle can, and the result is what one can."""
    raw = np.zeros((2, P, 3), np.float32)
    raw[:, :, 1] = sign * speed * TIME
    raw[:, :, 2] = sign * np.pi / 2
    r = run(raw, ego(speed), cap=30.0)
    pull = r.speed_mps**2 * r.curvature_1pm
    before = np.concatenate([np.zeros((2, 1)), r.steering_rad[:, :-1]], axis=1)
    assert np.abs(r.steering_rad).max() <= VEHICLE.steer_max_rad
    assert np.abs(r.steering_rad - before).max() / DT <= LIMITS.steering_rate_rps
    assert np.abs(r.curvature_1pm).max() <= LIMITS.curvature_1pm
    assert np.abs(pull).max() <= LIMITS.lateral_acceleration_mps2
    assert np.abs(np.diff(pull, axis=1)).max() / DT <= LIMITS.lateral_jerk_mps3
    assert r.acceleration_mps2.max() <= LIMITS.acceleration_warn_mps2
    assert r.acceleration_mps2.min() >= -LIMITS.deceleration_mps2


def test_after_a_limit_it_returns_to_the_path():
    """One metre to the side in half a second is too much; later it is back on the path."""
    poses, _ = truth(9.0)
    poses = poses.copy()
    poses[:, 1] += 1.0 * np.clip(TIME / 0.5, 0, 1)
    r = run(noisy(poses, 0.0), ego(9.0))
    assert np.abs(r.poses[:, -10:, 1] - 1.0).max() < 0.25


def test_unknown_steering_is_free_at_the_start():
    poses, _ = truth(3.0, 0.0, 0.1)
    start = ego(3.0)
    unknown = type(start)(0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, float('nan'))
    slow, _ = truth(0.5, 0.0, 0.1)
    result = run(noisy(slow, 0.0), unknown)
    assert np.abs(result.curvature_1pm - 0.1).max() < 0.02


def test_candidates_do_not_influence_each_other():
    poses, _ = truth(*DRIVES['winding'])
    raw = noisy(poses)
    alone = run(raw[3:4], ego(8.0))
    together = run(raw, ego(8.0))
    np.testing.assert_allclose(together.poses[3], alone.poses[0], atol=1e-9)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 3e38])
def test_bad_numbers_do_not_spread(bad):
    poses, _ = truth(8.0)
    raw = noisy(poses)
    good = run(raw, ego(8.0))
    raw[2, 17, 1] = bad
    result = run(raw, ego(8.0))
    assert np.isfinite(result.poses).all()
    others = [0, 1, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(result.poses[others], good.poses[others], atol=1e-6)
