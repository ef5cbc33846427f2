"""The beat of the sets by itself: its period, when a timestep is due, which frame is its t0."""

from collections import deque

import pytest
from camera_streams import MS

from alpamayo_ros.sensing.synchronisation.beat import Beat
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera


def beat(*periods_ms, reference=0, unwatched=()):
    cameras = [
        SyncCamera(str(i), round(p * MS), watched=i not in unwatched)
        for i, p in enumerate(periods_ms)
    ]
    return Beat(cameras, reference, 100 * MS)


def rings(*stamps_ms):
    return [deque((round(s * MS), None) for s in ring) for ring in stamps_ms]


def due(made):
    """When the timestep is due [ms]: three quarters of a period before it is over."""
    over = next(t for t in range(5000) if made.passed(t * MS))
    assert not made.passed((over - 1) * MS)
    return over - 1 - made.period_ns * 3 // 4 // MS


def begun(*stamps_ms, periods=(100, 100), reference=0):
    made = beat(*periods, reference=reference)
    assert made.begin(rings(*stamps_ms))
    return made


@pytest.mark.parametrize(
    ('periods_ms', 'reference', 'period_ms'),
    [
        ((100, 100), 0, 100),
        ((100, 50), 0, 100),
        ((50, 100), 0, 100),
        ((50, 50), 0, 100),
        ((100 / 3, 100 / 3), 0, 100),
        ((80, 80), 0, 80),
        ((70, 70), 0, 140),
        ((72, 72), 0, 72),
        ((100, 200), 0, 100),
        ((200, 100), 0, 200),
        ((200, 100), 1, 100),
        ((90, 60), 0, 90),
        ((60, 90), 0, 90),
    ],
)
def test_the_period_is_that_of_the_slowest_that_keep_up(periods_ms, reference, period_ms):
    assert beat(*periods_ms, reference=reference).period_ns == pytest.approx(period_ms * MS, abs=9)


def test_a_camera_that_is_not_there_sets_no_beat_unless_it_is_the_reference():
    assert beat(50, 80, unwatched=(1,)).period_ns == 100 * MS
    assert beat(80, 50, unwatched=(0,)).period_ns == 80 * MS
    assert beat(50, 80).period_ns == 80 * MS


@pytest.mark.parametrize(
    ('periods_ms', 'locked'),
    [
        ((100, 100), True),
        ((100, 50), True),
        ((100, 200), True),
        ((100, 33.3), True),
        ((100, 104), True),
        ((100, 106), False),
        ((100, 66), False),
        ((100, 150), False),
        ((100, 52), True),
        ((100, 54), False),
    ],
)
def test_locked_where_every_camera_fires_a_whole_number_of_times(periods_ms, locked):
    assert beat(*periods_ms).locked is locked


def test_before_the_beat_is_known_a_frame_is_here_and_nothing_is_over():
    fresh = beat(100, 100)
    assert fresh.here(rings([1], [])) == [True, False] and not fresh.passed(10**18)


def test_the_reference_says_when_the_first_timestep_is_due():
    assert due(begun([7, 107], [20])) == 7
    assert due(begun([7, 107], [20], reference=1)) == 20


def test_without_the_reference_the_middle_of_the_others_does():
    assert due(begun([], [30], [20], [50], periods=(100,) * 4)) == 30
    assert due(begun([], [30], [20], periods=(100,) * 3)) == 20


def test_a_faster_reference_leaves_it_to_the_slowest():
    made = begun([7, 57], [20, 120], periods=(50, 100))
    assert due(made) == 20
    assert due(begun([7, 57], [], periods=(50, 100))) == 7
    assert due(begun([], [12], [30], periods=(100, 50, 50))) == 12


def test_begun_once_it_goes_on_and_reset_it_begins_anew():
    made = begun([0], [0])
    assert not made.begin(rings([310], [320]))
    assert due(made) == 300
    made.reset()
    assert made.begin(rings([40], [40])) and due(made) == 40


def test_here_is_who_has_a_frame_of_the_timestep():
    made = begun([100], [100], periods=(100, 50))
    assert made.here(rings([60], [80])) == [False, False]  # 0.4 of a period before, and no more
    assert made.here(rings([61], [81])) == [True, True]
    assert made.here(rings([0, 61], [])) == [True, False]


def test_over_after_three_quarters():
    made = begun([100], [100])
    assert not made.passed(175 * MS) and made.passed(175 * MS + 1)


@pytest.mark.parametrize(
    ('newest_ms', 'due_ms'),
    [
        (100, 100),
        (140, 100),
        (150, 100),
        (151, 200),
        (200, 200),
        (249, 200),
        (252, 300),
        (810, 800),
    ],
)
def test_timesteps_without_a_frame_are_skipped(newest_ms, due_ms):
    made = begun([100], [100])
    made.skip(rings([0, newest_ms], []))
    assert due(made) == due_ms


def test_skipping_goes_to_the_first_frame_after_the_pause():
    made = begun([100], [100])
    made.skip(rings([0, 420, 520], [50, 310, 410]))
    assert due(made) == 300


def test_a_long_period_is_skipped_once_at_least():
    made = beat(70, 70)  # sets every 140 ms
    made.begin(rings([0], [0]))
    made.skip(rings([71], []))
    assert due(made) == 140


def test_t0_is_the_references_frame_at_the_due_time():
    made = begun([100], [100])
    assert made.anchor(rings([0, 95, 190], [101]), None) == 95 * MS
    assert made.anchor(rings([40, 160], [101]), None) == 40 * MS  # of equals the older
    assert made.anchor(rings([39.9, 161], [120]), None) == 120 * MS  # 0.6 of a period: another's
    assert made.anchor(rings([], [120], [82]), None) == 82 * MS
    assert made.anchor(rings([], [120], [80]), None) == 80 * MS
    assert made.anchor(rings([], []), None) is None


def test_t0_is_half_a_period_after_the_last():
    made = begun([100], [100])
    assert made.anchor(rings([90, 150], []), 41 * MS) == 150 * MS
    assert made.anchor(rings([92, 150], []), 41 * MS) == 92 * MS
    assert made.anchor(rings([91, 150], []), 41 * MS) == 150 * MS
    assert made.anchor(rings([], [91, 93]), 41 * MS) == 93 * MS
    assert made.anchor(rings([], [91]), 41 * MS) is None


def test_the_next_timestep_is_a_period_after_what_was_seen():
    made = begun([100], [100])
    made.step(rings([103], [97]))
    assert due(made) == 203
    made.step(rings([103], [207, 307]))  # the reference's frame was lost: the others' phase
    assert due(made) == 307
    made.step(rings([], []))
    assert due(made) == 407
    made.step(rings([], [367]))  # 0.4 of a period away: another timestep's
    assert due(made) == 507
    made.step(rings([], [468]))
    assert due(made) == 568


def test_the_phase_is_the_middle_of_the_slowest_cameras():
    made = begun([], [100], [100], [100], periods=(50, 100, 100, 100))
    made.step(rings([112], [101], [103], [108]))
    assert due(made) == 203
