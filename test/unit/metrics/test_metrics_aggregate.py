"""Figures over groups: hand-worked means, and intervals that behave."""

from __future__ import annotations

import math

import pytest

from alpamayo_ros import metrics

GROUPS = {'a': [1.0, 2.0], 'b': [3.0, None], 'c': [4.0, 5.0, 6.0], 'd': [None]}


def test_the_mean_is_over_all_known_values():
    found = metrics.mean_ci95(GROUPS)
    assert found.mean == pytest.approx(21 / 6)
    assert 1.5 <= found.low < found.mean < found.high <= 5.0


def test_two_groups_resample_to_four_equal_cases():
    """Means of (a, a), (a, b), (b, a), (b, b): 0, 0.5, 0.5, 1; so 2.5 % and 97.5 % are 0 and 1."""
    assert metrics.mean_ci95({'a': [0.0], 'b': [1.0]}) == (0.5, 0.0, 1.0)


def test_equal_groups_leave_no_doubt():
    assert metrics.mean_ci95({str(i): [2.0] * (i + 1) for i in range(9)}) == (2.0, 2.0, 2.0)


def test_whole_groups_are_drawn():
    """100 values in two groups tell no more than two values."""
    found = metrics.mean_ci95({'a': [0.0] * 50, 'b': [1.0] * 50})
    assert found == (0.5, 0.0, 1.0)


def test_the_order_of_groups_and_the_run_do_not_matter():
    groups = {f'{i:02d}': [i**2 / 7, float(i)] for i in range(25)}
    backwards = dict(reversed(groups.items()))
    assert metrics.mean_ci95(groups) == metrics.mean_ci95(backwards) == metrics.mean_ci95(groups)
    other = metrics.mean_ci95(groups, seed=1)
    assert other != metrics.mean_ci95(groups) and other.mean == metrics.mean_ci95(groups).mean


def test_one_group_has_no_interval_and_none_no_figure():
    assert metrics.mean_ci95({'a': [1.0, 3.0]}) == (2.0, None, None)
    assert metrics.mean_ci95({'a': [None], 'b': []}) is None
    assert metrics.mean_ci95({}) is None and metrics.ratio_ci95({}) is None


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match='finite'):
        metrics.mean_ci95({'a': [math.nan]})
    with pytest.raises(ValueError, match='finite'):
        metrics.ratio_ci95({'a': (1.0, math.inf)})


def test_kilometres_per_incident_may_have_no_upper_end():
    found = metrics.ratio_ci95({'a': (10.0, 0.0), 'b': (10.0, 1.0), 'c': (10.0, 0.0)})
    assert found.mean == pytest.approx(30.0) and found.high == math.inf
    assert found.low == pytest.approx(10.0)
    assert metrics.ratio_ci95({'a': (10.0, 0.0)}) is None


def test_f1_over_groups():
    """2 tp / (2 tp + fp + fn): a 4 / 7, b 2 / 2; together 6 / 9."""
    found = metrics.f1_ci95({'a': [(2, 1, 2)], 'b': [(1, 0, 0), (0, 0, 0)], 'c': [(0, 0, 0)]})
    assert found.mean == pytest.approx(6 / 9)
    assert found.low == pytest.approx(4 / 7) and found.high == pytest.approx(1.0)
    assert metrics.f1_ci95({'c': [(0, 0, 0)]}) is None
