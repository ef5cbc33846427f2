"""The time gap that a car settles at behind somebody who drives."""

import numpy as np
import pytest

from alpamayo_ros.metrics import steady_time_gap

DT = 0.1


def gap(own, leader, gap_m=12.0, n=60):
    own, leader, gap_m = (np.broadcast_to(np.asarray(v, float), n) for v in (own, leader, gap_m))
    return steady_time_gap(gap_m, own, leader, DT)


def test_it_is_the_way_to_where_the_other_is_at_ones_own_speed():
    assert gap(6.0, 6.0) == pytest.approx(2.0)
    assert gap(6.0, 6.4) == pytest.approx(2.0), 'a small difference is none'


def test_nobody_settles_while_a_gap_opens_or_closes_or_both_stand():
    assert gap(6.0, 7.0) is gap(7.0, 6.0) is gap(2.9, 2.9) is gap(0.0, 0.0, 4.0) is None


def test_without_a_leader_there_is_none():
    assert gap(6.0, np.nan, np.inf) is gap(6.0, 6.0, np.inf) is None
    assert steady_time_gap(*np.zeros((3, 0)), DT) is None


def test_only_what_has_lasted_two_seconds_counts():
    leader = np.where(np.arange(60) < 30, 8.0, 6.0)
    gap_m = np.where(np.arange(60) < 50, 30.0, 12.0)
    assert gap(6.0, leader, gap_m) == pytest.approx(2.0), 'from step 50 on'
    assert gap(6.0, leader[:50], gap_m[:50], 50) is None
