"""Fault matrix, rows F22 to F25 at level P: odometry that lies, pauses or jumps."""

import math

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.odometry import FIELDS, from_message
from alpamayo_ros.types import EgoHistory, EgoState

MS, NS = 1_000_000, 1_000_000_000
START = 1_700_000_000 * NS
PROFILE = load_profile('nano')
SPEED = 10.0
GOOD = (5.0, 6.0, 0.0, 0.0, 0.0, 0.0, 1.0, SPEED, 0.0, 0.0, 0.0, 0.0, 0.1)
FRAMES = ('odom', 'base_link')


def at(t_s: float, x_offset: float = 0.0, speed: float = SPEED) -> EgoState:
    return EgoState(START + round(t_s * NS), SPEED * t_s + x_offset, 0.0, 0.0, speed)


def drive(buffer: EgoBuffer, start_s: float, stop_s: float, x_offset: float = 0.0) -> list[Fault]:
    states = [at(i / 50, x_offset) for i in range(round(start_s * 50), round(stop_s * 50))]
    return [f for f in map(buffer.push, states) if f is not None]


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('index', range(13))
def test_f22_each_of_the_13_fields(index, bad):
    """ODOM_NAN names the field; 13 of 13."""
    values = tuple(bad if i == index else v for i, v in enumerate(GOOD))
    fault = from_message(START, FRAMES, values)
    assert isinstance(fault, Fault)
    assert fault.code is Code.ODOM_NAN
    assert FIELDS[index] in fault.message


@pytest.mark.parametrize(
    ('index', 'just', 'beyond'),
    [(0, 1e7, 1.1e7), (1, -1e7, -1.1e7), (7, 100.0, 100.1), (7, -100.0, -1e39), (12, 3.0, 3.01)],
)
def test_f22_numbers_that_no_car_reaches(index, just, beyond):
    def state(value: float) -> EgoState | Fault:
        return from_message(START, FRAMES, (*GOOD[:index], value, *GOOD[index + 1 :]))

    assert isinstance(state(just), EgoState)
    fault = state(beyond)
    assert isinstance(fault, Fault)
    assert fault.code is Code.ODOM_NAN


def test_f22_an_impossible_state_is_refused_by_the_buffer_and_leaves_no_trace():
    buffer = EgoBuffer()
    drive(buffer, 0, 1)
    newest = buffer.newest
    assert buffer.push(at(1.0, speed=1e39)).code is Code.ODOM_NAN
    assert buffer.newest is newest
    assert buffer.push(at(1.0)) is None


def test_f22_no_nan_reaches_a_history_and_0_2_s_of_it_is_a_gap():
    buffer = EgoBuffer()
    drive(buffer, 0, 2)
    for i in range(100, 116):
        bad = EgoState(START + i * 20 * MS, math.nan, 0.0, 0.0, SPEED)
        assert buffer.push(bad).code is Code.ODOM_NAN
    history = buffer.history(START + 2 * NS, PROFILE)
    assert isinstance(history, EgoHistory)
    assert np.isfinite(history.poses).all()
    assert np.isfinite(history.speed_mps).all()
    assert buffer.gap_fault(START + 2_200 * MS).code is Code.ODOM_GAP


@pytest.mark.parametrize(
    ('silence_ms', 'code'),
    [
        (45, None), (65, Code.ODOM_GAP_WARN), (100, Code.ODOM_GAP_WARN), (195, Code.ODOM_GAP_WARN),
        (205, Code.ODOM_GAP), (300, Code.ODOM_GAP), (3000, Code.ODOM_GAP),
    ],
)  # fmt: skip
def test_f23_odometry_gap_thresholds(silence_ms, code):
    """Warned of from 50 ms, refused from 200 ms, both to the millisecond."""
    buffer = EgoBuffer()
    drive(buffer, 0, 2)
    newest = buffer.newest.stamp_ns
    fault = buffer.gap_fault(newest + silence_ms * MS)
    assert (fault and fault.code) == code
    history = buffer.history(newest + silence_ms * MS, PROFILE)
    assert isinstance(history, EgoHistory) == (silence_ms <= 50)


@pytest.mark.parametrize(('gap_ms', 'bridged'), [(100, True), (190, True), (300, False)])
def test_f23_a_past_gap_is_bridged_below_the_limit_and_invalid_above(gap_ms, bridged):
    buffer = EgoBuffer()
    drive(buffer, 0, 2)
    drive(buffer, 1.98 + gap_ms / 1000, 2.7)
    history = buffer.history(START + 2_660 * MS, PROFILE)
    assert history.valid.all() == bridged
    covered = history.poses[history.valid, 0]
    wanted = -SPEED * 0.1 * np.arange(16)[history.valid]
    np.testing.assert_allclose(covered, wanted, atol=2e-3)


def test_f23_resumes_after_three_seconds_of_silence():
    buffer = EgoBuffer()
    drive(buffer, 0, 2)
    assert drive(buffer, 5, 5.1) == []
    assert buffer.history(START + 5_060 * MS, PROFILE).valid[0]


def test_f24_teleport():
    """ODOM_JUMP empties the history; none crosses it; whole again after 1.5 s, not before."""
    buffer = EgoBuffer()
    drive(buffer, 0, 2)
    faults = drive(buffer, 2, 4, x_offset=5.0)
    assert [f.code for f in faults] == [Code.ODOM_JUMP]
    early = EgoBuffer()
    drive(early, 0, 2)
    drive(early, 2, 3.4, x_offset=5.0)
    refused = early.history(START + 3_380 * MS, PROFILE)
    assert refused.code is Code.EGO_HISTORY
    history = buffer.history(START + 3_600 * MS, PROFILE)
    assert history.valid.all()
    np.testing.assert_allclose(np.diff(history.poses[:, 0]), -1.0, atol=1e-4)


@pytest.mark.parametrize(
    ('step_m', 'jump'), [(0.2, False), (0.9, False), (1.3, True), (-5.0, True)]
)
def test_f24_threshold_is_a_metre_beyond_what_the_speed_explains(step_m, jump):
    buffer = EgoBuffer()
    drive(buffer, 0, 2)
    faults = drive(buffer, 2, 2.02, x_offset=step_m)
    assert (Code.ODOM_JUMP in [f.code for f in faults]) == jump


def test_f24_speed_mismatch():
    buffer = EgoBuffer()
    codes = {f.code for i in range(60) if (f := buffer.push(at(i / 50, speed=SPEED + 6)))}
    assert codes == {Code.ODOM_SPEED}


@pytest.mark.parametrize('frames', [('map', 'base_link'), ('odom', 'imu'), ('', ''), ('odom', '')])
def test_f25_wrong_frames(frames):
    """ODOM_FRAME; the message names the expected and the received frames."""
    fault = from_message(START, frames, GOOD)
    assert fault.code is Code.ODOM_FRAME
    for name in (*FRAMES, *frames):
        assert repr(name) in fault.message


@pytest.mark.parametrize('scale', [0.0, 0.99, 1.01, 2.0])
def test_f25_quaternion_not_unit(scale):
    values = tuple(v * scale if 3 <= i < 7 else v for i, v in enumerate(GOOD))
    fault = from_message(START, FRAMES, values)
    assert fault.code is Code.ODOM_FRAME
    assert 'quaternion' in fault.message


def test_f25_zero_stamp():
    assert from_message(0, FRAMES, GOOD).code is Code.STAMP_INVALID
