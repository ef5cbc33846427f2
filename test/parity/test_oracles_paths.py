"""Displacement, consistency and comfort against scipy and definitions written out in loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.interpolate import interp1d
from scipy.signal import savgol_filter
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from alpamayo_ros import metrics
from alpamayo_ros.metrics.comfort import BOUNDS, savitzky_golay, signals

TOLERANCE = 1e-9
K, P, DT = 3, 12, 0.5
METRES = st.floats(-1e3, 1e3)
PATHS = arrays(np.float64, (P, 3), elements=METRES)
CANDIDATES = arrays(np.float64, (K, P, 3), elements=METRES)
VALID = arrays(np.bool_, P) | st.just(np.ones(P, bool))


def mean_of_known(values, known):
    """None unless all are known; summed exactly."""
    return math.fsum(values) / len(values) if all(known) else None


def same(found, expected) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-12, abs_tol=TOLERANCE)


@settings(max_examples=150)
@given(PATHS, CANDIDATES, PATHS, VALID)
def test_displacement_is_what_its_definition_says(path, candidates, truth, valid):
    """Distances by scipy's cdist, means by fsum, the arg-min by sorting."""
    gap = np.diag(cdist(path[:, :2], truth[:, :2]))
    gaps = [np.diag(cdist(c[:, :2], truth[:, :2])) for c in candidates]
    found = metrics.cycle_displacement(path, candidates, truth, DT, valid)
    for t in (1, 2, 3, 6):
        n = round(t / DT)
        assert same(found[f'l2_at_{t}s'], gap[n - 1] if valid[n - 1] else None)
        assert same(found[f'l2_up_to_{t}s'], mean_of_known(gap[:n], valid[:n]))
        best = min(mean_of_known(g, [True] * P) for g in gaps)
        if not valid.all():
            assert found[f'min_ade_k_{t}s'] is None
        elif t == 6:
            assert same(found['min_ade_k_6s'], best)
        else:  # equal candidates may swap by a rounding error: one of the best must give it
            near = [g for g in gaps if g.mean() <= best + TOLERANCE]
            assert any(same(found[f'min_ade_k_{t}s'], g[:n].mean()) for g in near)
        ends = [g for g in gaps if g[-1] <= min(h[-1] for h in gaps) + TOLERANCE]
        expected = [None] if not valid[-1] or not valid[n - 1] else [g[n - 1] for g in ends]
        assert any(same(found[f'min_fde_k_{t}s'], e) for e in expected)
    assert same(found['ade'], mean_of_known(gap, valid))
    assert same(found['fde'], gap[-1] if valid[-1] else None)
    miss = float(min(g[-1] for g in gaps) > 2.0)
    assert found['miss_rate_k_2m'] == (miss if valid[-1] else None)


POSE = st.tuples(METRES, METRES, st.floats(-7, 7)).map(np.array)


@settings(max_examples=150)
@given(PATHS, POSE, PATHS, POSE, st.integers(0, 11), st.sampled_from([0.0, 0.25]))
def test_consistency_against_scipy_rotation_and_interpolation(a, pose_a, b, pose_b, steps, part):
    def in_odom(points, pose):
        spatial = np.column_stack([points[:, :2], np.zeros(P)])
        turned = Rotation.from_euler('z', pose[2]).apply(spatial)
        return turned[:, :2] + pose[:2]

    elapsed = steps * DT + part
    time = DT * np.arange(1, P + 1)
    old = interp1d(time, in_odom(a, pose_a), axis=0)
    asked = [t for t in time + elapsed if t <= time[-1]]
    gap = [
        np.linalg.norm(old(t) - point) for t, point in zip(asked, in_odom(b, pose_b), strict=False)
    ]
    found = metrics.plan_to_plan(a, pose_a, b, pose_b, elapsed, DT)
    if not asked:
        assert found is None
        return
    assert found.mean_m == pytest.approx(np.mean(gap), abs=TOLERANCE)
    assert found.max_m == pytest.approx(np.max(gap), abs=TOLERANCE)


@st.composite
def filters(draw):
    window = draw(st.integers(2, 16))
    order = draw(st.integers(1, min(3, window - 1)))
    values = draw(arrays(np.float64, st.integers(window, 40), elements=st.floats(-20, 20)))
    return values, window, order, draw(st.integers(0, order))


@settings(max_examples=200)
@given(filters())
def test_the_smoothing_is_scipy_s(case):
    """Odd and even windows, every derivative, ends included."""
    values, window, order, derivative = case
    truth = savgol_filter(values, window, order, deriv=derivative, delta=0.1)
    found = savitzky_golay(values, window, order, derivative, 0.1)
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-7 if derivative == 3 else 1e-9)


def by_the_book(speed, along, rate, heading):
    """The six signals as nuplan-devkit's state_extractors make them, by scipy."""
    n = len(speed)

    def smooth(values, window, **how):
        return savgol_filter(values, min(window, n), how.pop('order', 2), delta=DT / 5, **how)

    heading = np.unwrap(heading)
    return {
        'longitudinal_acceleration_mps2': smooth(along, 8),
        'lateral_acceleration_mps2': smooth(speed * rate, 8),
        'jerk_mps3': smooth(smooth(np.sqrt(along**2 + (speed * rate) ** 2), 8), 15, deriv=1),
        'longitudinal_jerk_mps3': smooth(smooth(along, 8), 15, deriv=1),
        'yaw_rate_rps': smooth(heading, 5, deriv=1),
        'yaw_acceleration_rps2': smooth(heading, 5, deriv=2, order=3),
    }


@settings(max_examples=100)
@given(st.integers(4, 80), st.integers(0, 2**32 - 1), st.floats(0.01, 2.0))
def test_comfort_against_scipy(n, seed, wildness):
    rng = np.random.default_rng(seed)
    along, rate = (np.cumsum(rng.normal(0, wildness, n)) * 0.3 for _ in range(2))
    speed = 5 + np.cumsum(along) * 0.1
    heading = (np.cumsum(rate) * 0.1 + np.pi) % (2 * np.pi) - np.pi
    truth = by_the_book(speed, along, rate, heading)
    mine = signals(speed, along, rate, 0.1, heading)
    found = metrics.nuplan_comfort(speed, along, rate, 0.1, heading)
    for name, expected in truth.items():
        np.testing.assert_allclose(mine[name], expected, rtol=1e-9, atol=1e-8)
        low, high = BOUNDS[name]
        margin = min(np.abs(expected - low).min(), np.abs(expected - high).min())
        if margin > 1e-8:
            inside = bool(expected.min() > low and expected.max() < high)
            assert found.within[name] is inside
