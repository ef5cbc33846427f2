"""Properties of motion that hold for every input hypothesis can think of."""

import numpy as np
from drives import DT, LIMITS, VEHICLE, K, P, ego, noisy, truth
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alpamayo_ros.motion.bicycle import forward, inverse
from alpamayo_ros.motion.cost import Weights, cost
from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.select import select
from alpamayo_ros.motion.validate import validate

FEW = settings(max_examples=25)
speeds = st.floats(0.0, 12.0)
bends = st.floats(-0.15, 0.15)


@FEW
@given(
    arrays(np.float64, (2, 40), elements=st.floats(-0.5, 0.5)),
    arrays(np.float64, (2, 40), elements=st.floats(-6.0, 3.0)),
    speeds,
)
def test_forward_of_inverse_is_the_same_path(steering, acceleration, speed):
    speed0 = np.full(2, speed)
    poses, _ = forward(steering, acceleration, speed0, DT, 2.7)
    controls = inverse(poses, speed0, DT, 2.7)
    again, _ = forward(*controls, speed0, DT, 2.7)
    assert np.abs(again - poses).max() <= 1e-3


@FEW
@given(
    speeds,
    bends,
    st.integers(0, K - 1),
    st.integers(0, P - 1),
    st.integers(0, 2),
    st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_a_number_that_is_not_finite_anywhere_is_invalid_and_never_chosen(
    speed, bend, k, i, axis, bad
):
    raw = noisy(truth(speed, 0.0, bend / max(speed, 1.0))[0], 0.02)
    raw[k, i, axis] = bad
    start = ego(speed)
    with np.errstate(all='ignore'):
        result = roll_out(raw, start, VEHICLE, LIMITS, 12.0, DT)
        checks = validate(raw, result, start, None, LIMITS, 12.0, DT)
        costs = cost(result, start, None, None, VEHICLE, LIMITS, Weights())
    assert not checks.ok[k]
    assert select(costs.total, checks.ok, result.poses) != k


@FEW
@given(arrays(np.float32, (3, P, 3), elements=st.floats(width=32)), speeds)
def test_whatever_the_model_says_the_roll_out_is_drivable_or_refused(raw, speed):
    """Any 32-bit floats, NaN and infinity included."""
    start = ego(speed)
    with np.errstate(all='ignore'):
        result = roll_out(raw, start, VEHICLE, LIMITS, 12.0, DT)
        checks = validate(raw, result, start, None, LIMITS, 12.0, DT)
    assert np.isfinite(result.poses).all() and (result.speed_mps >= 0).all()
    for k in range(3):
        if checks.ok[k]:
            assert np.isfinite(raw[k]).all()
            assert all(c.ok for c in checks.of(k))
            pull = result.speed_mps[k] ** 2 * result.curvature_1pm[k]
            assert np.abs(pull).max() <= LIMITS.lateral_acceleration_mps2


@FEW
@given(
    arrays(np.float64, (5,), elements=st.floats(-3, 3) | st.just(np.nan)),
    st.permutations(range(5)),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_select_is_permutation_invariant(total, order, allowed):
    poses = np.arange(5 * 4 * 3, dtype=float).reshape(5, 4, 3) % 7
    allowed = np.array(allowed)
    first = select(total, allowed, poses)
    order = list(order)
    again = select(total[order], allowed[order], poses[order])
    assert (first is None) == (again is None)
    if first is not None:
        np.testing.assert_array_equal(poses[first], poses[order][again])
        assert allowed[first] and np.isfinite(total[first])


@FEW
@given(speeds, bends, st.floats(0.0, 0.05), st.integers(0, 99))
def test_noise_does_not_move_the_path(speed, bend, sigma, seed):
    """Up to 5 cm of noise on every waypoint moves the feasible path by less than 15 cm in 3 s.

    Slower than 0.2 m/s a plan counts as standing, and the path ends where the car is.
    """
    speed = speed if speed > 0.2 else 0.0
    bend = bend if abs(bend) * speed**2 < 3.0 else 3.0 / speed**2
    poses, _ = truth(speed, 0.0, bend)
    result = roll_out(
        noisy(poses, sigma, seed), ego(speed, curvature=bend), VEHICLE, LIMITS, 13.0, DT
    )
    off = np.hypot(*np.moveaxis(result.poses[:, :30, :2] - poses[:30, :2], -1, 0))
    assert off.max() < 0.15
