"""One timestep by itself: which frame belongs to it, and what stands for one that is missing."""

from dataclasses import replace

import pytest
from camera_streams import MS

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.sensing.synchronisation.synced_set import Selection, SyncCamera, SyncedSet

T0 = 5_000 * MS
CAMERAS = (
    SyncCamera('front', 100 * MS, 'hold', True),
    SyncCamera('left', 100 * MS, 'hold'),
    SyncCamera('rear', 100 * MS, 'mask'),
    SyncCamera('right', 100 * MS, 'reject'),
)
SELECT = Selection(CAMERAS, 10 * MS, 40 * MS, 2.5)


def frame(away_ms):
    """A frame so many milliseconds after t0, with its own name as payload."""
    return T0 + round(away_ms * MS), f'at {away_ms}'


def formed(*away_ms, older=(), fresh=True, select=SELECT):
    """The set of frames so far from t0; None: missing, with frames of ``older`` in its ring."""
    nearest = [None if away is None else frame(away) for away in away_ms]
    rings = [[frame(a) for a in older] if n is None else [n] for n in nearest]
    return select.form(T0, nearest, rings, [fresh] * len(nearest))


def test_the_limits_of_the_file():
    limits = load_limits()
    select = Selection.of(CAMERAS, limits, False)
    assert (select.skew_warn_ns, select.skew_ns) == (10 * MS, 50 * MS)
    assert select.hold_periods == limits.camera_silence_periods - 0.5 == 2.5
    assert select.cameras == CAMERAS and not select.locked and SELECT.locked


def test_by_default_a_camera_is_watched_holds_and_is_not_required():
    assert SyncCamera('a', 1) == SyncCamera('a', 1, 'hold', False, True)


@pytest.mark.parametrize(
    ('ring', 'chosen'),
    [
        ([], None),
        ([-20, -5, 9, 30], -5),
        ([-5, 5], -5),
        ([-40], -40),
        ([40], 40),
        ([-40.000001], None),
        ([40.000001], None),
        ([0], 0),
    ],
)
def test_the_nearest_frame_within_the_limit_and_of_two_the_older(ring, chosen):
    found = SELECT.nearest(0, [frame(a) for a in ring], T0)
    assert found == (None if chosen is None else frame(chosen))


def test_half_a_period_away_a_frame_belongs_to_the_next():
    fast = replace(SELECT, cameras=(SyncCamera('front', 60 * MS),))
    assert fast.nearest(0, [frame(30)], T0) == frame(30)
    assert fast.nearest(0, [frame(30.000001)], T0) is None


def test_a_whole_set():
    assert formed(0, 4, -3, 7) == SyncedSet(
        T0,
        (T0, T0 + 4 * MS, T0 - 3 * MS, T0 + 7 * MS),
        ('at 0', 'at 4', 'at -3', 'at 7'),
        (True,) * 4,
        (False,) * 4,
        10 * MS,
        (),
    )


def test_frames_apart_are_warned_of_and_then_refused():
    (warning,) = formed(0, 5, -6, 0).faults
    assert warning.code is Code.SKEW_WARN
    assert warning.values == {'skew_ns': 11e6, 'limit_ns': 10e6, 't0_ns': T0}
    assert warning.message == f'cameras 11.0 ms apart at {T0} ns'
    assert isinstance(formed(0, 20, -20, 0), SyncedSet)
    refused = formed(0, 21, -20, 0)
    assert refused.code is Code.SKEW
    assert refused.values == {'skew_ns': 41e6, 'limit_ns': 40e6, 't0_ns': T0}


def test_an_older_frame_is_held_for_one_period_and_the_camera_then_masked():
    held = formed(0, None, 0, 0, older=[-250, -150])
    assert held.stamps_ns[1] == T0 - 150 * MS and held.payloads[1] == 'at -150'
    assert held.valid == (True,) * 4 and held.held == (False, True, False, False)
    assert held.skew_ns == 0 and held.largest_skew_ns == 150 * MS
    masked = formed(0, None, 0, 5, older=[-150.000001])
    assert (masked.stamps_ns[1], masked.payloads[1]) == (T0, None)
    assert masked.valid == (True, False, True, True) and masked.held == (False,) * 4
    assert masked.largest_skew_ns == 5 * MS


def test_a_frame_of_later_is_not_held():
    held = formed(0, None, 0, 0, older=[-120, -60, 60])
    assert held.stamps_ns[1] == T0 - 60 * MS
    assert formed(0, None, 0, 0, older=[0]).held[1]
    assert not formed(0, None, 0, 0, older=[60]).valid[1]


def test_of_two_held_frames_of_one_stamp_the_first_is_taken_and_no_payload_compared():
    twins = [(T0 - 90 * MS, {'picture': i}) for i in range(2)]
    rings = [[frame(0)], twins, [frame(0)], [frame(0)]]
    nearest = [frame(0), None, frame(0), frame(0)]
    held = SELECT.form(T0, nearest, rings, [True] * 4)
    assert held.payloads[1] is twins[0][1] and held.held[1]


def test_a_required_camera_is_held_until_it_counts_as_silent():
    assert formed(None, 0, 0, 0, older=[-250]).held[0]
    refused = formed(None, 0, 0, 0, older=[-250.000001])
    assert refused.code is Code.SET_INCOMPLETE
    assert refused.values == {'camera': 'front', 't0_ns': T0}
    strict = replace(SELECT, cameras=(replace(CAMERAS[0], policy='mask'), *CAMERAS[1:]))
    assert formed(None, 0, 0, 0, older=[-90], select=strict).code is Code.SET_INCOMPLETE


def test_policies_of_a_missing_frame():
    assert formed(0, 0, None, 0, older=[-90]).valid == (True, True, False, True)
    refused = formed(0, 0, 0, None, older=[-90])
    assert refused.code is Code.SET_INCOMPLETE and '90 ms older' in refused.message
    assert 'inf ms older' in formed(0, 0, 0, None).message
    assert not formed(0, None, 0, 0).valid[1]


@pytest.mark.parametrize(
    ('older', 'apart_ms'),
    [([-60], 60), ([60, 50], 50), ([-40], None), ([74], 74), ([75], None), ([-74, -100], 74)],
)
def test_a_frame_between_two_timesteps_is_skew_the_second_time(older, apart_ms):
    result = formed(0, None, 0, 0, older=older, fresh=False)
    assert not isinstance(formed(0, None, 0, 0, older=older), Fault)
    drifting = replace(SELECT, locked=False)
    assert not isinstance(formed(0, None, 0, 0, older=older, fresh=False, select=drifting), Fault)
    if apart_ms is None:
        assert isinstance(result, SyncedSet)
    else:
        assert result.code is Code.SKEW
        expected = {'skew_ns': apart_ms * 1e6, 'limit_ns': 40e6, 't0_ns': T0, 'camera': 'left'}
        assert result.values == expected and result.message.startswith('left ')


@pytest.mark.parametrize(
    ('away_ms', 'kept'),
    [
        ((0, -30, 30), (True, True, False)),  # of equals the older
        ((0, -30, 10), (True, True, True)),  # 40 ms: at the limit
        ((35, -10, 0), (False, True, True)),  # the closest to t0 come first
        ((-35, 10, 0), (False, True, True)),
        ((20, 35, 38), (True, True, True)),
        ((-20, -35, -38), (True, True, True)),
    ],
)
def test_drifting_cameras_that_have_no_room_are_left_out(away_ms, kept):
    cameras = tuple(SyncCamera(str(i), 100 * MS, 'mask') for i in range(3))
    drifting = Selection(cameras, 10 * MS, 40 * MS, 2.5, locked=False)
    assert formed(*away_ms, select=drifting).valid == kept
    assert formed(None, *away_ms[1:], select=drifting).valid[0] is False


def test_together_drifting_frames_count_from_t0():
    """A frame 35 ms before and one 10 ms after t0 do not fit beside it, whoever was it."""
    cameras = tuple(SyncCamera(str(i), 100 * MS, 'mask') for i in range(2))
    drifting = Selection(cameras, 10 * MS, 40 * MS, 2.5, locked=False)
    assert formed(-35, 10, select=drifting).valid == (False, True)
