"""Lane changes on drives by hand."""

import numpy as np
import pytest
import shapely

from alpamayo_ros import metrics

CAR = (1.4, 4.5, 1.8)
LANES = {'right': shapely.box(-20, -1.75, 90, 1.75), 'left': shapely.box(-20, 1.75, 90, 5.25)}


def drive(aside_m: list[float], lanes=None, leads=None):
    """0.8 m a step, each place aside held for two seconds, one second in between."""
    y = np.concatenate(
        [np.full(20, aside_m[0])]
        + [
            np.concatenate([np.linspace(a, b, 10), np.full(20, b)])
            for a, b in zip(aside_m, aside_m[1:], strict=False)
        ]
    )
    poses = np.stack([0.8 * np.arange(len(y)), y, 0 * y], 1)
    times = np.arange(len(y)) * 0.1
    return metrics.lane_changes(poses, times, CAR, LANES if lanes is None else lanes, leads)


@pytest.mark.parametrize(
    ('aside_m', 'expected'),
    [
        ([0.0], []),
        ([0.0, 0.6], []),
        ([0.0, 3.5], [True]),
        ([0.0, 3.5, 0.0], [True, True]),
        ([0.0, 1.5, 0.0], [False]),
        ([0.0, 1.5], [False]),
        ([0.0, -9.0], [False]),
    ],
    ids=['keeps', 'drifts', 'changes', 'there and back', 'turns back', 'astride', 'off the road'],
)
def test_what_counts_as_a_change(aside_m, expected):
    found = drive(aside_m)
    assert [c.succeeded for c in found] == expected
    failed = expected.count(False) / len(expected) if expected else None
    assert metrics.failed_share(found) == failed


def test_a_change_lasts_from_the_first_corner_over_to_the_last():
    (change,) = drive([0.0, 3.5])
    assert change.start_s == pytest.approx(2.3)  # 0.9 m beyond the middle of 3.5 m in a second
    assert change.end_s == pytest.approx(2.7)


def test_a_lane_that_goes_on_as_another_is_no_change():
    lanes = {'one': shapely.box(-20, -1.75, 10, 1.75), 'two': shapely.box(10, -1.75, 90, 1.75)}
    assert drive([0.0], lanes, {'one': ('two',)}) == []
    assert [c.succeeded for c in drive([0.0], lanes)] == [True]


def test_without_lanes_or_with_nan_it_is_not_evaluable():
    assert drive([0.0], {}) is None
    assert metrics.lane_changes(np.full((3, 3), np.nan), np.arange(3.0), CAR, LANES) is None
    assert metrics.failed_share(None) is None
