"""Spread calibration and intervals against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from alpamayo_ros import metrics

DT = 0.5
METRES = st.floats(-100, 100)
CLOUDS = arrays(np.float64, st.tuples(st.integers(4, 10), st.just(2)), elements=METRES)
POINTS = arrays(np.float64, 2, elements=METRES)


@settings(max_examples=200)
@given(CLOUDS, POINTS)
def test_the_level_is_scipy_s_f_distribution_of_hotelling_s_t2(cloud, point):
    k = len(cloud)
    covariance = np.cov(cloud, rowvar=False) + 0.05**2 * np.eye(2)
    off = point - cloud.mean(0)
    t2 = k / (k + 1) * off @ np.linalg.inv(covariance) @ off
    expected = stats.f.cdf(t2 * (k - 2) / (2 * (k - 1)), 2, k - 2)
    found = metrics.spread_level_at_t(cloud[:, None], point[None], DT, DT)
    assert found == pytest.approx(expected, abs=1e-6)


def levels(spread, count=3000, k=8, seed=0):
    """Truth from a normal distribution, candidates from one of ``spread`` times its width."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(2, 2)) * 3
    cloud = spread * rng.normal(size=(count, k, 2)) @ shape.T
    truth = rng.normal(size=(count, 2)) @ shape.T
    return [
        metrics.spread_level_at_t(c[:, None], y[None], DT, DT)
        for c, y in zip(cloud, truth, strict=True)
    ]


def test_levels_of_a_calibrated_model_are_uniform():
    found = levels(1.0)
    assert stats.kstest(found, 'uniform').pvalue > 0.01
    assert metrics.calibration_error(found) < 0.02
    assert metrics.coverage(found, 0.5) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(('spread', 'sign'), [(0.3, -1), (3.0, 1)])
def test_too_sure_covers_too_little_and_too_vague_too_much(spread, sign):
    found = levels(spread, 600)
    assert sign * (metrics.coverage(found, 0.5) - 0.5) > 0.2
    assert metrics.calibration_error(found) > 0.2


@settings(max_examples=200)
@given(arrays(np.float64, st.integers(2, 10), elements=METRES), METRES, st.floats(-4, 4))
def test_the_energy_score_on_a_line_is_scipy_s_energy_distance(along, truth, angle):
    """D^2 = 2 E|X - y| - E|X - X'| with all K^2 pairs; the fair score has K (K - 1)."""
    direction = np.array([np.cos(angle), np.sin(angle)])
    k = len(along)
    squared = stats.energy_distance(along, [truth]) ** 2
    pairs = np.abs(along[:, None] - along).sum()
    fair = squared / 2 + pairs / (2 * k * k) - pairs / (2 * k * (k - 1))
    cloud = (along[:, None] * direction)[:, None]
    found = metrics.energy_score_at_t(cloud, (truth * direction)[None], DT, DT)
    assert found == pytest.approx(fair, abs=1e-6)


def test_the_energy_score_is_least_for_the_true_spread():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(4000, 2))
    mean = {}
    for spread in (0.3, 1.0, 3.0):
        cloud = spread * rng.normal(size=(4000, 8, 2))
        mean[spread] = np.mean([
            metrics.energy_score_at_t(c[:, None], y[None], DT, DT)
            for c, y in zip(cloud, truth, strict=True)
        ])  # fmt: skip
    assert mean[1.0] < mean[0.3] and mean[1.0] < mean[3.0]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(8, 60))
def test_intervals_are_scipy_s_bootstrap(seed, groups):
    """Different draws: the bounds agree within a seventh of the interval's width."""
    values = np.random.default_rng(seed).normal(3, 2, groups)
    truth = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method='percentile', random_state=seed
    ).confidence_interval
    found = metrics.mean_ci95({f'{i:03d}': [v] for i, v in enumerate(values)})
    width = truth.high - truth.low
    assert found.mean == pytest.approx(values.mean())
    assert abs(found.low - truth.low) < width / 7 and abs(found.high - truth.high) < width / 7


def test_intervals_hold_the_truth_in_about_95_of_100():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        means = rng.normal(0, 1, 40)
        drives = {str(i): (m + rng.normal(0, 1, 5)).tolist() for i, m in enumerate(means)}
        found = metrics.mean_ci95(drives, resamples=500)
        hits += found.low <= 0.0 <= found.high
    assert 0.89 <= hits / 200 <= 0.99


@settings(max_examples=200)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_s_interval_is_scipy_s(case):
    hits, count = case
    truth = stats.binomtest(hits, count).proportion_ci(method='wilson')
    assert metrics.wilson(hits, count) == pytest.approx((truth.low, truth.high), abs=1e-7)
