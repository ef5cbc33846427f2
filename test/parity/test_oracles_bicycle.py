"""The kinematic bicycle against commonroad's single-track model, on random and edge drives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import solve_ivp

from alpamayo_ros.motion.bicycle import forward, inverse

DT, STEPS = 0.1, 8
TOLERANCE = 1e-7  # m, rad and m/s; the solver works to 1e-11
STEERING = arrays(np.float64, STEPS, elements=st.floats(-0.6, 0.6))
ACCELERATION = arrays(np.float64, STEPS, elements=st.floats(-3.0, 3.0))
ZERO = np.zeros(STEPS)


def commonroad_drive(steering, acceleration, speed0):
    """States (x, y, heading, speed) after every step, and the wheelbase; steering held a step."""
    ks = pytest.importorskip('vehiclemodels.vehicle_dynamics_ks').vehicle_dynamics_ks
    parameters = pytest.importorskip('vehiclemodels.parameters_vehicle2').parameters_vehicle2()
    state, out = np.array([0.0, 0.0, 0.0, speed0, 0.0]), []
    for angle, push in zip(steering, acceleration, strict=True):
        state[2] = angle
        done = solve_ivp(
            lambda _, s, a=push: ks(s, [0.0, a], parameters),
            (0, DT), state, method='DOP853', rtol=1e-11, atol=1e-11,
        )  # fmt: skip
        state = done.y[:, -1]
        out.append(state[[0, 1, 4, 3]])
    return np.array(out), parameters.a + parameters.b


def ours(steering, acceleration, speed0, wheelbase):
    poses, speed = forward(steering[None], acceleration[None], np.array([speed0]), DT, wheelbase)
    return np.column_stack([poses[0], speed[0]])


@settings(max_examples=40)
@given(STEERING, ACCELERATION, st.floats(2.5, 20.0))
@example(ZERO, ZERO, 10.0)
@example(ZERO + 0.6, ZERO + 3.0, 2.5)  # the tightest circle, speeding up
@example(ZERO - 0.6, ZERO - 3.0, 2.5)  # down to 0.1 m/s
@example(0.6 * (-1.0) ** np.arange(STEPS), 3.0 * (-1.0) ** np.arange(STEPS), 20.0)
@example(ZERO + 1e-9, ZERO, 5.0)  # an arc that is nearly straight
def test_a_moving_car_drives_as_commonroad_says(steering, acceleration, speed0):
    truth, wheelbase = commonroad_drive(steering, acceleration, speed0)
    found = ours(steering, acceleration, speed0, wheelbase)
    assert np.abs(found - truth).max() < TOLERANCE


@settings(max_examples=40)
@given(STEERING, ACCELERATION, st.floats(2.5, 20.0))
def test_the_inverse_finds_commonroad_s_controls(steering, acceleration, speed0):
    truth, wheelbase = commonroad_drive(steering, acceleration, speed0)
    angles, pushes = inverse(truth[None, :, :3], np.array([speed0]), DT, wheelbase)
    assert np.abs(angles[0] - steering).max() < 1e-5
    assert np.abs(pushes[0] - acceleration).max() < 1e-5


@settings(max_examples=30)
@given(st.floats(-6.0, -0.5), st.floats(0.0, 3.0), st.floats(-0.5, 0.5))
@example(-3.0, 0.45, 0.0)
def test_a_car_that_stops_within_a_step_is_off_by_less_than_its_bound(braking, speed0, steering):
    """Ours brakes evenly over the whole step of the stop: at most |a| dt^2 / 8 too far."""
    stop_s = speed0 / -braking
    time = np.minimum((np.arange(STEPS) + 1) * DT, stop_s)
    truth_m = speed0 * time + braking * time**2 / 2
    found = ours(ZERO + steering, ZERO + braking, speed0, 2.7)
    turn = np.tan(steering) / 2.7
    way = found[:, 2] / turn if abs(turn) > 1e-3 else np.hypot(found[:, 0], found[:, 1])
    if abs(turn) > 1e-3 or steering == 0.0:
        late = way - truth_m
        assert -1e-9 <= late.min() and late.max() <= -braking * DT**2 / 8 + 1e-9
    assert (found[:, 3] >= 0).all()
