"""Egomotion: interpolation by capture time, gaps, jumps, frames."""

import math
from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.odometry import from_message
from alpamayo_ros.types import EgoHistory, EgoState

MS, NS = 1_000_000, 1_000_000_000
START = 1_700_000_000 * NS
PROFILE = load_profile('nano')
RADIUS, SPEED = 20.0, 5.0
RATE = SPEED / RADIUS


def circle(t_s: float, offset: float = 3.0) -> EgoState:
    """On a left-hand circle; the heading passes pi within the first seconds."""
    a = RATE * t_s + offset
    heading = math.remainder(a, math.tau)
    x, y = RADIUS * math.sin(a), -RADIUS * math.cos(a)
    return EgoState(START + round(t_s * NS), x, y, heading, SPEED, RATE, 0.5, 0.1)


def straight(t_s: float, v: float = 10.0) -> EgoState:
    return EgoState(START + round(t_s * NS), v * t_s, 0.0, 0.0, v)


def filled(make=circle, seconds=3.0, hz=50) -> EgoBuffer:
    out = EgoBuffer()
    for i in range(round(seconds * hz) + 1):
        assert out.push(make(i / hz)) is None
    return out


@pytest.mark.parametrize('hz', [20, 50, 83, 100])
@pytest.mark.parametrize('t0_s', [2.0, 2.513, 2.9871])
def test_history_is_where_the_car_was(hz, t0_s):
    history = filled(hz=hz).history(START + round(t0_s * NS), PROFILE)
    assert isinstance(history, EgoHistory)
    assert history.valid.all()
    ages = 0.1 * np.arange(16)
    turned = -RATE * ages
    np.testing.assert_allclose(history.poses[:, 2], turned, atol=2e-3)
    np.testing.assert_allclose(history.poses[:, 0], RADIUS * np.sin(turned), atol=5e-3)
    np.testing.assert_allclose(history.poses[:, 1], RADIUS * (1 - np.cos(turned)), atol=5e-3)
    np.testing.assert_allclose(history.speed_mps, SPEED, atol=1e-4)
    np.testing.assert_allclose(history.yaw_rate_rps, RATE, atol=1e-4)
    np.testing.assert_allclose(history.acceleration_mps2, 0.5, atol=1e-4)
    np.testing.assert_allclose(history.steering_rad, 0.1, atol=1e-4)
    assert history.extrapolated_ns == 0


def test_extrapolation_is_flagged_and_ends_at_50_ms():
    buffer = filled(straight)
    history = buffer.history(START + 3 * NS + 50 * MS, PROFILE)
    assert history.extrapolated_ns == 50 * MS
    assert history.poses[1, 0] == pytest.approx(-1.0, abs=1e-3)
    beyond = buffer.history(START + 3 * NS + 51 * MS, PROFILE)
    assert isinstance(beyond, Fault)
    assert beyond.code is Code.ODOM_GAP


def test_extrapolation_follows_the_circle():
    history = filled().history(START + 3 * NS + 40 * MS, PROFILE)
    ahead = RADIUS * math.sin(RATE * 0.1)
    assert history.poses[1, 0] == pytest.approx(-ahead, abs=2e-3)


def test_a_young_buffer_gives_invalid_entries_not_invented_ones():
    history = filled(seconds=0.5).history(START + NS // 2, PROFILE)
    assert history.valid.tolist() == [True] * 6 + [False] * 10
    assert not history.poses[6:].any()
    assert np.isnan(history.steering_rad[6:]).all()


def test_a_model_that_takes_no_gaps_waits_for_the_whole_history():
    released = load_profile('nvidia-1.5-10b')
    young = filled(straight, seconds=1.0).history(START + NS, released)
    assert isinstance(young, Fault) and young.code is Code.EGO_HISTORY
    assert young.message == '5 of 16 past instants are not covered and the model takes no gaps'
    whole = filled(straight, seconds=1.5).history(START + 3 * NS // 2, released)
    assert isinstance(whole, EgoHistory) and whole.valid.all()


def test_steering_measured_apart_replaces_the_odometry_s():
    buffer = filled()
    for i in range(40):
        assert buffer.push_steering(START + 1_300 * MS + i * 40 * MS, 0.3) is None
    history = buffer.history(START + 2_900 * MS, PROFILE)
    np.testing.assert_allclose(history.steering_rad, 0.3, atol=1e-6)
    assert buffer.push_steering(START, 0.3).code is Code.STAMP_LATE
    assert buffer.push_steering(START + 9 * NS, math.nan).code is Code.ODOM_NAN


def test_acceleration_is_derived_where_odometry_has_none():
    buffer = EgoBuffer(derive_acceleration=True)
    for i in range(100):
        t = i / 50
        v = 4.0 + 1.5 * t
        state = EgoState(START + round(t * NS), 4.0 * t + 0.75 * t * t, 0.0, 0.0, v)
        assert buffer.push(state) is None
    assert buffer.newest.acceleration_mps2 == pytest.approx(1.5, abs=1e-6)


def test_pose_at_any_instant():
    buffer = filled(straight)
    assert buffer.pose_at(START + 1_234 * MS).x_m == pytest.approx(12.34, abs=1e-3)
    assert buffer.pose_at(START - MS).code is Code.ODOM_GAP
    assert EgoBuffer().pose_at(START).code is Code.ODOM_GAP


def test_late_and_repeated_states_are_refused():
    buffer = filled(straight)
    assert buffer.push(straight(3.0)).code is Code.STAMP_DUP
    assert buffer.push(straight(2.5)).code is Code.STAMP_LATE
    assert buffer.push(EgoState(0, 0.0, 0.0, 0.0, 0.0)).code is Code.STAMP_INVALID
    assert buffer.newest == straight(3.0)


def test_speed_that_contradicts_the_positions():
    """Positions of 10 m/s: 11.5 m/s is a warning, 16 m/s an error (docs/faults.md, "Limits")."""
    for claimed, code in ((10.9, None), (11.5, 'ODOM_SPEED_WARN'), (16.0, 'ODOM_SPEED')):
        buffer, found = EgoBuffer(), None
        for i in range(60):
            t = i / 50
            found = buffer.push(EgoState(START + round(t * NS), 10 * t, 0.0, 0.0, claimed))
        assert (found and found.code.name) == code
        assert len(buffer) == 60


def test_a_speed_of_the_other_sign_contradicts_the_positions():
    """A twist of a sensor that looks backwards; a car that reverses has both negative."""
    for moved, claimed, code in ((4, -4.0, 'ODOM_SPEED'), (1, -1.0, 'ODOM_SPEED_WARN'),
                                 (-4, -4.0, None)):  # fmt: skip
        buffer, found = EgoBuffer(), None
        for i in range(30):
            t = i / 50
            state = EgoState(START + round(t * NS), 0.0, moved * t, math.pi / 2, claimed)
            found = buffer.push(state)
        assert (found and found.code.name) == code


def test_memory_is_bounded():
    assert len(filled(straight, seconds=20)) <= 152


def test_reset_forgets():
    buffer = filled()
    buffer.reset()
    assert len(buffer) == 0
    assert buffer.push(EgoState(START - NS, 500.0, 0.0, 0.0, 1.0)) is None


def test_message_to_state():
    half = math.sqrt(0.5)
    values = (1.0, 2.0, 0.0, 0.0, 0.0, half, half, 3.0, 0.0, 0.0, 0.0, 0.0, 0.2)
    state = from_message(START, ('odom', 'base_link'), values)
    assert (state.x_m, state.y_m, state.speed_mps, state.yaw_rate_rps) == (1.0, 2.0, 3.0, 0.2)
    assert state.heading_rad == pytest.approx(math.pi / 2)


def turning(claim, seconds=1.0):
    """Codes of a circle whose turn rate is stated as ``claim`` of the true one."""
    buffer, found = EgoBuffer(), set()
    for i in range(round(seconds * 50)):
        fault = buffer.push(replace(circle(i / 50), yaw_rate_rps=claim(RATE)))
        found |= {fault.code} if fault else set()
    return found


@pytest.mark.parametrize(
    ('claim', 'codes'),
    [
        (lambda rate: rate, set()),
        (lambda rate: rate + 0.09, set()),
        (lambda rate: 0.0, {Code.ODOM_TURN_WARN}),
        (lambda rate: -0.9 * rate, {Code.ODOM_TURN_WARN}),
        (lambda rate: 10 * rate, {Code.ODOM_TURN}),
    ],
)
def test_turn_rate_is_compared_with_the_change_of_heading(claim, codes):
    assert turning(claim) == codes


def test_a_tyre_angle_in_degrees_is_refused():
    assert EgoBuffer().push_steering(START, 15.0).code is Code.STEERING
    buffer = EgoBuffer(steering_limit_rad=1.1)
    assert buffer.push_steering(START, 1.09) is None
    assert buffer.push_steering(START + 1, -1.2).code is Code.STEERING
