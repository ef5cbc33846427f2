"""Plan-to-plan distance, energy score and spread on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from alpamayo_ros import metrics

DT = 0.5
ORIGIN = np.zeros(3)
STRAIGHT = np.column_stack([np.arange(1.0, 13.0), np.zeros(12), np.zeros(12)])  # 2 m/s for 6 s


def shared(current, anchor, elapsed=1.0):
    return metrics.plan_to_plan(STRAIGHT, ORIGIN, current, np.asarray(anchor), elapsed, DT)


def test_the_same_path_seen_one_second_later_is_no_distance():
    assert shared(STRAIGHT, [2.0, 0.0, 0.0]) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_a_car_that_turned_expresses_the_same_path_in_its_own_axes():
    """At (2, 0) with heading 90 degrees, the old path lies to the right: y falls with time."""
    turned = np.column_stack([np.zeros(12), -np.arange(1.0, 13.0), np.full(12, -np.pi / 2)])
    assert shared(turned, [2.0, 0.0, np.pi / 2]) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_only_the_shared_time_counts():
    """The new plan is 0.3 m aside; beyond the old horizon (its last two points) 9 m."""
    aside = STRAIGHT + np.array([0.0, 0.3, 0.0])
    aside[-2:, 1] = 9.0
    assert shared(aside, [2.0, 0.0, 0.0]) == pytest.approx((0.3, 0.3))
    aside[0, 1] = 1.3
    assert shared(aside, [2.0, 0.0, 0.0]) == pytest.approx((0.4, 1.3))


def test_between_two_points_the_old_plan_is_interpolated():
    assert shared(STRAIGHT, [1.5, 0.0, 0.0], elapsed=0.75) == pytest.approx((0.0, 0.0), abs=1e-12)


@pytest.mark.parametrize('elapsed', [-0.5, 6.0, np.nan, np.inf])
def test_without_shared_time_consistency_is_not_evaluable(elapsed):
    assert shared(STRAIGHT, [2.0, 0.0, 0.0], elapsed) is None


def test_the_last_shared_point_is_enough():
    assert shared(STRAIGHT, [11.0, 0.0, 0.0], 5.5) == pytest.approx((0.0, 0.0), abs=1e-12)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_broken_plan_or_pose_is_not_evaluable(bad):
    assert shared(STRAIGHT, [2.0, bad, 0.0]) is None
    broken = STRAIGHT.copy()
    broken[11, 1] = bad
    assert shared(broken, [2.0, 0.0, 0.0]) is None
    none = np.zeros((0, 3))
    assert shared(none, [2.0, 0.0, 0.0]) is None
    assert metrics.plan_to_plan(none, ORIGIN, STRAIGHT, ORIGIN, 1.0, DT) is None


def at_one_second(*points):
    """Candidates of two points each; the second one, at 1 s, as given."""
    out = np.zeros((len(points), 2, 2))
    out[:, 1] = points
    return out


def energy(points, truth, **changes):
    candidates, path = at_one_second(*points), at_one_second(truth)[0]
    return metrics.energy_score_at_t(candidates, path, 1.0, DT, **changes)


def test_energy_score_by_hand():
    """Two candidates 4 m apart, the truth between them: 2 - 4 / 2; both 3 m off: 3 - 0."""
    assert energy([(0, 0), (4, 0)], (2, 0)) == pytest.approx(0.0)
    assert energy([(3, 0), (3, 0)], (0, 0)) == pytest.approx(3.0)
    assert energy([(0, 0), (6, 0), (0, 8)], (0, 0)) == pytest.approx(14 / 3 - 24 / 3 / 2)


def test_spread_that_covers_the_truth_beats_certainty_beside_it():
    assert energy([(0, 0), (4, 0)], (2, 0)) < energy([(3, 0), (3, 0)], (2, 0))


def level(points, truth, **changes):
    candidates, path = at_one_second(*points), at_one_second(truth)[0]
    return metrics.spread_level_at_t(candidates, path, 1.0, DT, **changes)


SQUARE = [(1, 1), (1, -1), (-1, 1), (-1, -1)]  # sample variance 4/3 on each axis


def test_spread_level_by_hand():
    """K = 4: 1 / (1 + 4 d^2 / 15), with d^2 = r^2 / (4/3) and a floor of 0."""
    assert level(SQUARE, (0, 0)) == pytest.approx(0.0)
    assert level(SQUARE, (1, 0), floor_m=0.0) == pytest.approx(1 - 1 / (1 + 0.2))
    assert level(SQUARE, (0, 2), floor_m=0.0) == pytest.approx(1 - 1 / (1 + 0.8))
    assert level(SQUARE, (1000, 0)) == pytest.approx(1.0, abs=1e-5)


def test_equal_candidates_cover_the_truth_within_the_floor_only():
    same = [(5, 0)] * 8
    assert level(same, (5, 0)) == pytest.approx(0.0)
    assert level(same, (5.02, 0)) < 0.5 and level(same, (6, 0)) > 0.99
    assert level(same, (5, 0), floor_m=0.0) is None


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_spread_of_broken_or_few_candidates_is_not_evaluable(bad):
    for metric in (energy, level):
        assert metric([*SQUARE, (bad, 0)], (0, 0)) is None
        assert metric(SQUARE, (0, bad)) is None
        assert metric(SQUARE, (0, 0), valid=np.array([True, False])) is None
    assert energy([(0, 0)], (0, 0)) is None and level(SQUARE[:3], (0, 0)) is None
    late = metrics.energy_score_at_t(at_one_second(*SQUARE), np.zeros((2, 2)), 3.0, DT)
    assert late is None


def test_coverage_and_calibration_error_by_hand():
    levels = [0.05, 0.45, 0.5, 0.95, None]
    assert metrics.coverage(levels, 0.5) == pytest.approx(0.75)
    assert metrics.calibration_error(np.linspace(0.0005, 0.9995, 1000).tolist()) < 1e-3
    assert metrics.calibration_error([1.0]) == pytest.approx(0.5)  # the truth is always outside
    assert metrics.calibration_error([0.0, None]) == pytest.approx(0.5)  # always in the middle
    assert metrics.calibration_error([0.4]) == pytest.approx(2.7 / 9)  # on the edge is inside
    assert metrics.coverage([None], 0.5) is None and metrics.calibration_error([]) is None
