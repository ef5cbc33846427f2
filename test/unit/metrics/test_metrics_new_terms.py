"""Heading errors, the largest distance, lateral jerk and time to collision on cases by hand."""

import math

import numpy as np
import pytest

from alpamayo_ros import metrics
from alpamayo_ros.metrics.displacement import astray

CAR = (1.4, 4.5, 1.8)


def straight(speed_mps: float, points: int = 60) -> np.ndarray:
    x = speed_mps * 0.1 * np.arange(1, points + 1)
    return np.stack([x, 0 * x, 0 * x], 1)


def test_heading_errors_are_taken_the_short_way_round():
    path, truth = straight(5.0), straight(5.0)
    path[:, 2], truth[:, 2] = math.pi - 0.1, -math.pi + 0.1
    found = metrics.heading_errors(path, truth)
    assert found == pytest.approx({'heading_error_mean': 0.2, 'heading_error_end': 0.2})


def test_heading_errors_need_the_truth_throughout():
    valid = np.ones(60, bool)
    valid[3] = False
    found = metrics.heading_errors(straight(5.0), straight(5.0), valid)
    assert found == {'heading_error_mean': None, 'heading_error_end': 0.0}
    assert metrics.heading_errors(None, straight(5.0))['heading_error_end'] is None


@pytest.mark.parametrize(
    ('largest_m', 'at', 'expected'), [(6.1, 10, 1.0), (5.9, 10, 0.0), (9.0, 45, 0.0)]
)
def test_astray_is_the_largest_distance_of_three_seconds(largest_m, at, expected):
    gap = np.zeros(60)
    gap[at] = largest_m
    assert astray(gap, 0.1) == expected
    gap[5] = np.nan
    assert astray(gap, 0.1) is None


def test_lateral_jerk_of_a_yaw_rate_that_grows_evenly():
    yaw_rate = 0.05 * 0.1 * np.arange(61)
    assert metrics.lateral_jerk_max(np.full(61, 8.0), yaw_rate, 0.1) == pytest.approx(
        0.4,
        abs=0.06,  # the even window of eight tilts the ends
    )
    assert metrics.lateral_jerk_max(np.full(61, np.nan), yaw_rate, 0.1) is None


@pytest.mark.parametrize(
    ('gap_m', 'agent_mps', 'expected'),
    [
        (60.0, 0.0, 1.0),  # 10 m/s for 3 s, then 0.95 s: 39.5 m
        (35.0, 0.0, 0.0),
        (15.0, 10.0, 1.0),  # as fast as the ego
        (12.0, 0.0, 0.0),
    ],
)
def test_time_to_collision_with_somebody_ahead(gap_m, agent_mps, expected):
    front_m = CAR[0] + CAR[1] / 2
    boxes = [
        np.array([[front_m + gap_m + 2.25 + agent_mps * 0.1 * (k + 1), 0, 0, 4.5, 1.8, agent_mps]])
        for k in range(60)
    ]
    path, speed = straight(10.0), np.full(60, 10.0)
    assert metrics.ttc_within_bound(path, speed, CAR, boxes, 0.1) == expected


def test_time_to_collision_leaves_out_who_comes_from_behind_and_wants_all_boxes():
    path, speed = straight(5.0), np.full(60, 5.0)
    behind = [np.array([[-6.0 + 1.2 * k, 0, 0, 4.5, 1.8, 12.0]]) for k in range(3)]
    beyond = [np.zeros((0, 6))] * 57
    assert metrics.ttc_within_bound(path, speed, CAR, [*behind, *beyond], 0.1) == 1.0
    assert metrics.ttc_within_bound(path, speed, CAR, [*behind[:2], None, *beyond], 0.1) is None
    assert metrics.ttc_within_bound(path, speed, CAR, None, 0.1) is None
    assert metrics.ttc_within_bound(path, 0 * speed, CAR, [behind[0]] * 60, 0.1) == 1.0
