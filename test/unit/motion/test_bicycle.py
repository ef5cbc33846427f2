"""The bicycle against vectors worked by hand, an ODE solver and a published implementation."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from alpamayo_ros.motion.bicycle import forward, integrate_speed, inverse, wrap

L = 2.7


def drive(steering, acceleration, speed0, dt=0.1):
    poses, speed = forward(
        np.atleast_2d(np.asarray(steering, float)),
        np.atleast_2d(np.asarray(acceleration, float)),
        np.array([float(speed0)]),
        dt,
        L,
    )
    return poses[0], speed[0]


def test_straight_at_ten_metres_a_second():
    poses, speed = drive(np.zeros(10), np.zeros(10), 10.0)
    np.testing.assert_allclose(poses[:, 0], np.arange(1, 11), atol=1e-12)
    np.testing.assert_allclose(poses[:, 1:], 0.0, atol=1e-12)
    np.testing.assert_allclose(speed, 10.0)


def test_quarter_circle_of_ten_metres():
    """At 10 m/s a quarter of a circle of radius 10 m takes pi/2 s and ends at (10, 10)."""
    steps = 5
    poses, _ = drive(np.full(steps, np.arctan(L / 10)), np.zeros(steps), 10.0, np.pi / 2 / steps)
    np.testing.assert_allclose(poses[-1], [10.0, 10.0, np.pi / 2], atol=1e-9)


def test_braking_stops_and_stays():
    """From 1 m/s at -2 m/s2: 0.8, 0.6, 0.4, 0.2, 0 and then 0; 0.25 m in all."""
    poses, speed = drive(np.zeros(8), np.full(8, -2.0), 1.0)
    np.testing.assert_allclose(speed, [0.8, 0.6, 0.4, 0.2, 0, 0, 0, 0], atol=1e-12)
    assert poses[-1, 0] == pytest.approx(0.25)


def test_speed_equals_the_step_by_step_rule():
    rng = np.random.default_rng(3)
    acceleration = rng.normal(0, 6, (5, 40))
    speed0 = rng.uniform(0, 4, 5)
    speed = integrate_speed(acceleration, speed0, 0.1)
    v = speed0.copy()
    for i in range(40):
        v = np.maximum(v + acceleration[:, i] * 0.1, 0.0)
        np.testing.assert_allclose(speed[:, i], v, atol=1e-12)


def test_against_an_ode_solver():
    steering, acceleration = 0.12, -0.8

    def rate(_, s):
        return [
            s[3] * np.cos(s[2]),
            s[3] * np.sin(s[2]),
            s[3] * np.tan(steering) / L,
            acceleration,
        ]

    truth = solve_ivp(rate, (0, 6), [0, 0, 0, 8.0], rtol=1e-10, atol=1e-10).y[:, -1]
    poses, speed = drive(np.full(60, steering), np.full(60, acceleration), 8.0)
    np.testing.assert_allclose(poses[-1], truth[:3], atol=1e-6)
    assert speed[-1] == pytest.approx(truth[3])


def test_against_commonroad():
    """The kinematic single-track model of commonroad-vehicle-models about the rear axle."""
    models = pytest.importorskip('vehiclemodels.vehicle_dynamics_ks')
    parameters = pytest.importorskip('vehiclemodels.parameters_vehicle2').parameters_vehicle2()
    wheelbase = parameters.a + parameters.b

    def rate(_, s):
        return models.vehicle_dynamics_ks(s, [0.0, 0.5], parameters)

    truth = solve_ivp(rate, (0, 4), [0, 0, 0.08, 6.0, 0.0], rtol=1e-10, atol=1e-10).y[:, -1]
    poses, speed = forward(
        np.full((1, 40), 0.08), np.full((1, 40), 0.5), np.array([6.0]), 0.1, wheelbase
    )
    np.testing.assert_allclose(poses[0, -1], truth[[0, 1, 4]], atol=1e-6)
    assert speed[0, -1] == pytest.approx(truth[3])


def test_inverse_of_a_known_drive():
    steering = 0.3 * np.sin(np.arange(60) / 8)
    acceleration = np.cos(np.arange(60) / 5)
    poses, _ = drive(steering, acceleration, 5.0)
    back = inverse(poses[None], np.array([5.0]), 0.1, L)
    np.testing.assert_allclose(back[0][0], steering, atol=1e-9)
    np.testing.assert_allclose(back[1][0], acceleration, atol=1e-8)


def test_inverse_at_rest_holds_the_steering():
    poses, _ = drive(np.full(20, 0.2), np.full(20, -5.0), 2.0)
    steering, acceleration = inverse(poses[None], np.array([2.0]), 0.1, L)
    np.testing.assert_allclose(steering, 0.2, atol=1e-9)
    np.testing.assert_allclose(acceleration[0, 5:], 0.0, atol=1e-9)


def test_inverse_of_standing_still_is_zero():
    steering, acceleration = inverse(np.zeros((2, 60, 3)), np.zeros(2), 0.1, L)
    assert not steering.any() and not acceleration.any()


def test_wrap():
    np.testing.assert_allclose(wrap(np.array([3 * np.pi, -np.pi, 0.5])), [-np.pi, -np.pi, 0.5])
