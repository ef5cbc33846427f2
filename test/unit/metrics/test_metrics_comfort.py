"""nuPlan's six bounds, each broken alone, on drives worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from alpamayo_ros import metrics
from alpamayo_ros.metrics.comfort import BOUNDS, savitzky_golay

N, DT = 60, 0.1
TIME = np.arange(N) * DT
ZERO = np.zeros(N)


def test_a_smooth_drive_is_comfortable():
    found = metrics.nuplan_comfort(ZERO + 10.0, ZERO, ZERO, DT, ZERO)
    assert found.comfortable and all(v == pytest.approx(0.0) for v in found.extremes.values())
    assert set(found.within) == set(BOUNDS) and len(BOUNDS) == 6


@pytest.mark.parametrize(
    ('acceleration', 'inside'), [(2.39, True), (2.41, False), (-4.04, True), (-4.06, False)]
)
def test_constant_longitudinal_acceleration(acceleration, inside):
    found = metrics.nuplan_comfort(ZERO + 10.0, ZERO + acceleration, ZERO, DT)
    assert found.within['longitudinal_acceleration_mps2'] is inside
    assert found.extremes['longitudinal_acceleration_mps2'] == pytest.approx(acceleration)
    assert found.comfortable is inside


@pytest.mark.parametrize(('rate', 'inside'), [(0.488, True), (0.490, False), (-0.490, False)])
def test_lateral_acceleration_is_speed_times_yaw_rate(rate, inside):
    """10 m/s at 0.489 rad/s is the bound of 4.89 m/s2; the yaw rate itself is allowed."""
    found = metrics.nuplan_comfort(ZERO + 10.0, ZERO, ZERO + rate, DT)
    assert found.within['lateral_acceleration_mps2'] is inside
    assert found.within['yaw_rate_rps'] and found.within['yaw_acceleration_rps2']


@pytest.mark.parametrize(('rate', 'inside'), [(0.94, True), (0.96, False)])
@pytest.mark.parametrize('with_heading', [True, False])
def test_yaw_rate_from_the_heading_or_as_given(rate, inside, with_heading):
    """A turn on the spot; the heading wraps several times."""
    heading = (rate * TIME + np.pi) % (2 * np.pi) - np.pi if with_heading else None
    found = metrics.nuplan_comfort(ZERO, ZERO, ZERO + rate, DT, heading)
    assert found.within['yaw_rate_rps'] is inside
    assert found.extremes['yaw_rate_rps'] == pytest.approx(rate)


@pytest.mark.parametrize(('slope', 'inside'), [(1.92, True), (1.94, False)])
@pytest.mark.parametrize('with_heading', [True, False])
def test_yaw_acceleration(slope, inside, with_heading):
    """Yaw rate that grows from -0.8 rad/s over 0.8 s."""
    t = TIME[:9]
    rate, zero = slope * t - 0.8, np.zeros(9)
    heading = slope * t**2 / 2 - 0.8 * t if with_heading else None
    found = metrics.nuplan_comfort(zero, zero, rate, DT, heading)
    assert found.within['yaw_acceleration_rps2'] is inside
    assert found.extremes['yaw_acceleration_rps2'] == pytest.approx(slope)


@pytest.mark.parametrize(('slope', 'inside'), [(4.12, True), (4.14, False), (-4.14, False)])
def test_longitudinal_jerk_is_the_slope_of_the_acceleration(slope, inside):
    """A ramp through zero over 0.8 s stays within the bounds of the acceleration."""
    t = TIME[:8]
    found = metrics.nuplan_comfort(t * 0 + 10.0, slope * (t - 0.35), t * 0, DT)
    assert found.within['longitudinal_jerk_mps3'] is inside
    assert found.within['longitudinal_acceleration_mps2']
    assert found.extremes['longitudinal_jerk_mps3'] == pytest.approx(slope)


@pytest.mark.parametrize(('slope', 'inside'), [(8.36, True), (8.38, False)])
def test_jerk_is_the_slope_of_the_magnitude(slope, inside):
    """Lateral acceleration that grows linearly at 10 m/s: only its magnitude has a slope."""
    t = TIME[:6]
    found = metrics.nuplan_comfort(t * 0 + 10.0, t * 0, slope * t / 10.0, DT)
    assert found.within['jerk_mps3'] is inside
    assert found.extremes['jerk_mps3'] == pytest.approx(slope)
    assert found.extremes['longitudinal_jerk_mps3'] == pytest.approx(0.0)


def test_one_wild_sample_is_smoothed_and_a_lasting_one_is_not():
    acceleration = ZERO.copy()
    acceleration[30] = 4.0
    assert metrics.nuplan_comfort(ZERO + 5.0, acceleration, ZERO, DT).within[
        'longitudinal_acceleration_mps2'
    ]
    acceleration[25:35] = 4.0
    assert not metrics.nuplan_comfort(ZERO + 5.0, acceleration, ZERO, DT).comfortable


@pytest.mark.parametrize('axis', range(4))
@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_not_evaluable(axis, bad):
    series = [ZERO.copy() for _ in range(4)]
    series[axis][7] = bad
    assert metrics.nuplan_comfort(*series[:3], DT, series[3]) is None


@pytest.mark.parametrize(('n', 'dt'), [(0, DT), (3, DT), (N, 0.0), (N, -DT), (N, np.nan)])
def test_too_short_a_drive_or_no_step_is_not_evaluable(n, dt):
    assert metrics.nuplan_comfort(ZERO[:n], ZERO[:n], ZERO[:n], dt) is None
    assert metrics.nuplan_comfort(ZERO[:4], ZERO[:4], ZERO[:4], DT).comfortable


def test_the_smoothing_keeps_a_parabola():
    parabola = 3.0 - 2.0 * TIME + 0.5 * TIME**2
    np.testing.assert_allclose(savitzky_golay(parabola, 5, 2, 0, DT), parabola, atol=1e-12)
    np.testing.assert_allclose(savitzky_golay(parabola, 15, 2, 1, DT), TIME - 2.0, atol=1e-11)
    np.testing.assert_allclose(savitzky_golay(parabola, 5, 2, 2, DT), 1.0, atol=1e-10)
