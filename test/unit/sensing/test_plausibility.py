"""Frozen, black, white, flat and noise frames; roads are none of these."""

import numpy as np
import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.sensing.plausibility import CameraPlausibility, PlausibilityLimits, implausible

LIMITS = PlausibilityLimits()
RNG = np.random.default_rng(0)


def road() -> np.ndarray:
    y, x = np.mgrid[0:64, 0:112]
    grey = 60 + 90 * (y < 28) + 10 * np.sin(x / 7) + 4 * RNG.standard_normal((64, 112))
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def full(value: int) -> np.ndarray:
    return np.full((64, 112, 3), value, np.uint8)


NOISE = RNG.integers(0, 256, (64, 112, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ('picture', 'kind'),
    [
        (full(0), 'black'),
        (full(255), 'white'),
        (full(128), 'flat'),
        (NOISE, 'noise'),
        (road(), ''),
    ],
    ids='black white flat noise road'.split(),
)
def test_kinds(picture, kind):
    assert implausible(picture, LIMITS) == kind


def test_night_with_one_lamp_is_plausible():
    night = (road() // 12).astype(np.uint8)
    night[20:24, 30:34] = 255
    assert implausible(night, LIMITS) == ''


def test_one_bad_frame_is_forgiven_two_are_a_fault():
    camera = CameraPlausibility('rear')
    assert camera.check_view(full(0)) is None
    assert camera.check_view(road()) is None
    assert camera.check_view(full(0)) is None
    fault = camera.check_view(full(255))
    assert fault.code is Code.CAM_IMPLAUSIBLE
    assert fault.values['camera'] == 'rear'


def test_frozen_counts_identical_bytes_while_moving_only():
    camera = CameraPlausibility('rear')
    for _ in range(50):
        assert camera.check_payload(b'same' * 100, 0.0) is None
    found = [camera.check_payload(b'same' * 100, 5.0) for _ in range(4)]
    assert [f and f.code for f in found][:1] == [None]
    assert found[-1].code is Code.CAM_FROZEN
    assert camera.check_payload(b'next' * 100, 5.0) is None
    camera.reset()
    assert camera.check_payload(b'next' * 100, 5.0) is None


def test_one_changed_byte_is_another_picture():
    camera = CameraPlausibility('rear')
    for i in range(10):
        data = bytearray(1000)
        data[501] = i
        assert camera.check_payload(memoryview(data), 5.0) is None
