"""Figures of a rig check have a sign where they have a side: no -0.0."""

import math

import pytest

from alpamayo_ros.rigs.against_bag import _judged
from alpamayo_ros.rigs.clock_findings import _turned
from alpamayo_ros.rigs.clocks import Lag
from alpamayo_ros.rigs.finding import signed
from alpamayo_ros.rigs.heading import Heading
from alpamayo_ros.sensing.rig import load_rig


@pytest.mark.parametrize(
    ('value', 'digits', 'said'),
    [(-0.04, 1, '0.0'), (0.0, 1, '0.0'), (0.04, 1, '0.0'), (-0.05001, 1, '-0.1'), (2, 1, '+2.0'),
     (-0.4, 0, '0'), (-1.0, 0, '-1')],
)  # fmt: skip
def test_nought_has_no_sign(value: float, digits: int, said: str):
    assert signed(value, digits) == said


def test_a_mount_that_fits_is_not_minus_nought_off():
    seen = Heading(math.radians(-0.02), math.radians(0.03), 0.001, 40, (-1e-5, -1e-5, -1e-5))
    text = _judged(load_rig('sim').camera('front'), seen).text
    assert 'drives 0.0 degrees to the left of and 0.0 above straight ahead' in text
    off = _judged(load_rig('sim').camera('front'), Heading(0.2, -0.1, 0.001, 40, seen.mount))
    assert 'drives +11.5 degrees to the left of and -5.7 above' in off.text
    assert 'roll_rad 0.000, pitch_rad 0.000, yaw_rad 0.000' in off.change


def test_a_clock_that_fits_is_not_minus_nought_off():
    found = Lag(-1e-4, -4e-4, 2e-3, 0.95, 1.0)
    assert 'turns 0 ms from the odometry (between 0 and +2 ms' in _turned('front', found).text
