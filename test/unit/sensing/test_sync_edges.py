"""Camera sync, push by push: when a set is waited for, when it leaves, and what is counted."""

import pytest
from camera_streams import MS, NS

from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import Camera, load_profile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.synchronisation.sync import CameraSync, make_sync, required_cameras
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera, SyncedSet

LIMITS = load_limits()
T0 = 1000 * NS


def sync_of(count, policy='hold', required=(0,), period_ms=100):
    cameras = [
        SyncCamera(str(i), round(period_ms * MS), policy, i in required) for i in range(count)
    ]
    return CameraSync(cameras, LIMITS)


def push(sync, camera, stamp_ms, arrives_ms=None):
    """What a frame brings about; it arrives 10 ms after its stamp unless said otherwise."""
    at_ms = stamp_ms + 10 if arrives_ms is None else arrives_ms
    return sync.push(str(camera), T0 + stamp_ms * MS, f'{camera} at {stamp_ms}', T0 + at_ms * MS)


def poll(sync, at_ms):
    return sync.poll(T0 + at_ms * MS)


def codes(results):
    return [r.code.name if isinstance(r, Fault) else 'set' for r in results]


@pytest.mark.parametrize(
    ('period_ms', 'sets_ms'), [(71.6, 71.6), (71, 142), (100, 100), (50, 100)]
)
def test_sets_are_formed_about_every_hundred_milliseconds(period_ms, sets_ms):
    assert sync_of(2, period_ms=period_ms).period_ns == round(sets_ms * MS)


def test_a_missing_camera_is_waited_for_half_a_period():
    sync = sync_of(2)
    assert push(sync, 0, 0) == []
    assert poll(sync, 59) == []
    (formed,) = poll(sync, 60)  # 50 ms after the reference's frame came
    assert formed.valid == (True, False) and formed.t0_ns == T0
    assert poll(sync, 400) == []


def test_the_last_frame_lets_the_set_go():
    sync = sync_of(3)
    assert push(sync, 2, 1) == [] and push(sync, 0, 0, 12) == []
    (formed,) = push(sync, 1, 2, 13)
    assert formed.stamps_ns == (T0, T0 + 2 * MS, T0 + MS)
    assert formed.payloads == ('0 at 0', '1 at 2', '2 at 1')


def test_without_the_reference_most_cameras_begin_a_timestep_and_one_or_half_do_not():
    sync = sync_of(4, required=())
    push(sync, 1, 0), push(sync, 2, 1)
    assert poll(sync, 280) == [] and push(sync, 3, 2, 290) == []
    assert poll(sync, 290 + 49) == []
    assert [s.valid for s in poll(sync, 290 + 50)] == [(False, True, True, True)]


def test_t0_is_that_of_the_first_required_camera():
    for required, t0_ms in (((), 0), ((1,), 4), ((2, 1), 4), ((2,), 7)):
        sync = sync_of(3, required=required)
        push(sync, 0, 0), push(sync, 1, 4)
        (formed,) = push(sync, 2, 7)
        assert formed.t0_ns == T0 + t0_ms * MS


def test_the_timestep_after_ends_the_wait():
    for newest_ms, sets in ((175, 0), (176, 1)):
        sync = sync_of(3, 'mask')
        push(sync, 0, 0), push(sync, 1, 0), push(sync, 2, 0)
        push(sync, 0, 100), push(sync, 1, 100)
        found = push(sync, 1, newest_ms, 159)
        assert [s.valid for s in found] == [(True, True, False)] * sets


def test_what_is_refused_is_counted_and_says_why():
    sync = sync_of(2)
    push(sync, 0, 0), push(sync, 1, 0)
    push(sync, 0, 100), push(sync, 1, 130)
    assert codes(push(sync, 0, 0, 140)) == ['STAMP_DUP']
    assert codes(push(sync, 0, 100, 140)) == ['STAMP_DUP']
    assert codes(push(sync, 0, 50, 140)) == ['STAMP_LATE']
    assert sync.counts == {'STAMP_DUP': 2, 'STAMP_LATE': 1, 'SKEW_WARN': 1}
    sync.reset()
    assert sync.counts['STAMP_DUP'] == 2


def test_a_stamp_slightly_ahead_is_told_and_taken():
    sync = sync_of(2)
    assert codes(push(sync, 0, 30, 0)) == ['STAMP_FUTURE_WARN']
    assert codes(push(sync, 1, 30, 40)) == ['set']


def test_a_clock_that_jumps_empties_everything():
    sync = sync_of(2)
    push(sync, 0, 0)
    assert codes(poll(sync, -60_000)) == ['CLOCK_BACK'] and sync.counts['CLOCK_BACK'] == 1
    assert poll(sync, -59_900) == []
    push(sync, 0, -59_900)
    assert codes(push(sync, 1, -59_900)) == ['set']
    assert codes(push(sync, 0, 5)) == ['CLOCK_FORWARD']


def run(sync, steps, cameras, start=0):
    """Frames of ``cameras`` at each of the timesteps; the sets, and the delay of each [ms]."""
    out = []
    for n in range(start, start + steps):
        for camera in cameras:
            out += [(r, n * 100 + 10) for r in push(sync, camera, n * 100)]
            out += [(r, 0) for r in poll(sync, n * 100 + 10)]
        out += [(r, n * 100 + 60) for r in poll(sync, n * 100 + 60)]
    return [(r, at - (r.t0_ns - T0) // MS) for r, at in out if isinstance(r, SyncedSet)]


def test_a_silent_camera_is_waited_for_three_times_and_then_no_more():
    sync = sync_of(3, 'mask')
    assert [delay for _, delay in run(sync, 5, (0, 1, 2))] == [10] * 5
    assert [delay for _, delay in run(sync, 6, (0, 1), 5)] == [60] * 3 + [10] * 3
    found = run(sync, 3, (0, 1, 2), 11)
    assert [s.valid for s, _ in found][1:] == [(True,) * 3] * 2


def test_a_camera_that_never_spoke_is_waited_for_at_the_start_only():
    sync = sync_of(3, 'mask')
    assert [delay for _, delay in run(sync, 5, (0, 1))] == [60] + [10] * 4


def test_after_a_pause_of_all_a_silent_camera_is_waited_for_again():
    sync = sync_of(3, 'mask')
    run(sync, 3, (0, 1, 2))
    found = run(sync, 3, (0, 1), 6)
    assert found[0][1] == 60 and not found[0][0].valid[2]


def test_from_profile_and_rig():
    rows = (('a', True, True), ('b', False, True), ('c', False, False), ('d', True, False))
    cameras = [Camera(name=n, hfov_deg=90, mandatory=m, maskable=k) for n, m, k in rows]
    profile = load_profile('nano').model_copy(update={'cameras': cameras})
    assert required_cameras(profile) == ['a', 'c', 'd']
    shipped = load_rig('sim').cameras
    names = zip(('a', 'b', 'c'), (10.0, 20.0, 12.5), strict=True)
    rig = [shipped[0].model_copy(update={'name': n, 'rate_hz': hz}) for n, hz in names]
    rig[1] = rig[1].model_copy(update={'policy': 'mask'})
    assert make_sync(profile, rig, LIMITS, black=['c']).cameras == (
        SyncCamera('a', 100 * MS, 'hold', True, True),
        SyncCamera('b', 50 * MS, 'mask', False, True),
        SyncCamera('c', 80 * MS, 'hold', True, False),
    )
    assert all(camera.watched for camera in make_sync(profile, rig, LIMITS).cameras)
