"""Traffic rules on drives of a few steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from alpamayo_ros import metrics
from alpamayo_ros.metrics.rules import RuleStep


def approach(kind, distances, speed=10.0, light='', line='a'):
    """Steps of 0.1 s at these distances of the bumper from the line."""
    return [RuleStep(0.1, speed, line, kind, d, light) for d in distances]


@pytest.mark.parametrize(('light', 'broken'), [('red', 1), ('yellow', 0), ('green', 0), ('', 0)])
def test_a_line_is_passed_on_the_colour_shown_then(light, broken):
    steps = [*approach('light', [1.5, 0.5], light='red'), *approach('light', [-0.5], light=light)]
    assert metrics.red_light(steps) == (broken, 1)


def test_standing_before_a_red_light_is_no_passage_and_has_no_rate():
    found = metrics.red_light(approach('light', [3.0, 1.0, 0.5, 0.5], light='red'))
    assert found == (0, 0) and found.rate is None


def test_reaching_the_line_is_passing_it_and_counts_once():
    steps = approach('light', [1.0, 0.0, -1.0, -2.0], light='red')
    assert metrics.red_light(steps).rate == 1.0 and metrics.red_light(steps).applied == 1


def test_two_lights_one_of_them_red():
    steps = [
        *approach('light', [1.0, -1.0], light='green'),
        *approach('light', [20.0, 1.0, -1.0], light='red', line='b'),
    ]
    assert metrics.red_light(steps).rate == 0.5


def test_the_next_line_being_nearer_is_no_passage():
    steps = [*approach('light', [30.0]), *approach('light', [-1.0], light='red', line='b')]
    assert metrics.red_light(steps) == (0, 0)


@pytest.mark.parametrize(
    ('where', 'speed', 'broken'),
    [(3.9, 0.0, 0), (3.9, 0.1, 0), (3.9, 0.2, 1), (4.1, 0.0, 1), (-0.1, 0.0, 1)],
)
def test_a_stop_sign_wants_standing_within_four_metres_before(where, speed, broken):
    steps = approach('stop', sorted([6.0, where, 1.0, -0.2, -1.0], reverse=True), 2.0)
    steps = [replace(s, speed_mps=speed) if s.line_m == where else s for s in steps]
    assert metrics.stop_line(steps) == (broken, 1)


def test_a_light_is_no_stop_sign():
    assert metrics.stop_line(approach('light', [1.0, -1.0], light='red')).rate is None


def limited(*speeds, limit=10.0):
    return [RuleStep(0.1, v, limit_mps=limit) for v in speeds]


def test_share_of_time_and_most_above_the_limit():
    steps = [*limited(9.0, 10.0, 10.5, 12.0), RuleStep(5.0, 30.0)]  # the last: limit unknown
    assert metrics.speed_limit(steps) == pytest.approx(0.5)
    assert metrics.speed_limit(steps, tolerance_mps=1.0) == pytest.approx(0.25)
    assert metrics.speed_over_limit(steps) == pytest.approx(2.0)
    assert metrics.speed_over_limit(limited(3.0)) == 0.0


def test_a_speed_that_is_not_finite_is_too_fast():
    assert metrics.speed_limit(limited(math.nan)) == 1.0


def test_without_a_limit_speeding_is_not_evaluable():
    assert metrics.speed_limit([RuleStep(0.1, 30.0)]) is None
    assert metrics.speed_over_limit([]) is None and metrics.speed_limit([]) is None


def along(angle, speed, count, dt=0.1):
    return [RuleStep(dt, speed, lane_angle_rad=angle)] * count


@pytest.mark.parametrize(
    ('steps', 'expected'),
    [
        (along(math.pi, 10.0, 2), 1.0),  # 2 m
        (along(math.pi, 10.0, 1), 0.0),  # 1 m
        (along(math.pi, 1.9, 100), 0.0),  # 1.9 m in any second
        (along(math.pi, 2.1, 10), 1.0),
        (along(math.pi, 2.1, 9), 0.0),
        (along(0.0, 10.0, 50), 0.0),
        (along(math.pi / 2, 10.0, 50), 0.0),  # across the lane
        (along(math.pi, 10.0, 1) + along(0.0, 10.0, 30), 0.0),
        ([RuleStep(0.1, 10.0)] * 5, None),
        ([], None),
    ],
)
def test_wrong_way(steps, expected):
    assert metrics.wrong_way(steps) == expected


def test_per_km():
    assert metrics.per_km(3, 1500.0) == pytest.approx(2.0)
    assert metrics.per_km(0, 0.0) is None
