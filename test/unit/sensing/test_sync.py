"""Camera sync: capture time, policies, latency, clock jumps."""

import pytest
from camera_streams import MS, NAMES, NS, START_NS, drive, make_sync, stream

from alpamayo_ros.limits import load_limits
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera
from alpamayo_ros.simulation.inject import apply, decimate, drop, drop_random


def test_every_timestep_gives_one_set_with_all_cameras():
    out = drive(make_sync(), stream(300))
    assert len(out.sets) == 300
    assert out.codes() == set()
    assert all(all(s.valid) and not any(s.held) for s in out.sets)
    assert all({p[1] for p in s.payloads} == {i} for i, s in enumerate(out.sets))


def test_t0_is_the_capture_time_of_the_reference_camera():
    events = stream(20)
    out = drive(make_sync(), events)
    front = sorted(e.stamp_ns for e in events if e.source == 'front')
    assert [s.t0_ns for s in out.sets] == front
    assert [s.stamps_ns[0] for s in out.sets] == front


def test_a_complete_set_leaves_with_its_last_frame():
    sync = make_sync()
    events = stream(5)
    for event in events[:5]:
        assert sync.push(event.source, event.stamp_ns, None, event.arrival_ns) == []
    assert len(sync.push(events[5].source, events[5].stamp_ns, None, events[5].arrival_ns)) == 1


@pytest.mark.parametrize('hz', [10.0, 12.0])
@pytest.mark.parametrize('seed', range(2))
def test_no_timestep_is_lost_under_hold_with_two_percent_drops(hz, seed):
    events = apply(stream(400, hz, seed=seed), [drop_random('*', 0.02, seed)])
    out = drive(make_sync(hz), events)
    hit = {round((s.t0_ns - START_NS) * hz / NS) for s in out.sets}
    assert hit == set(range(400))
    assert any(any(s.held) for s in out.sets)


@pytest.mark.parametrize('front_hz', [20.0, 30.0])
def test_a_faster_reference_that_drops_frames_keeps_the_beat(front_hz):
    others = stream(300, names=NAMES[1:])
    events = others + stream(round(30 * front_hz), front_hz, names=NAMES[:1])
    events = sorted(events, key=lambda e: e.arrival_ns)
    periods_ns = [round(NS / front_hz)] + [100 * MS] * 5
    pairs = zip(NAMES, periods_ns, strict=True)
    cameras = [SyncCamera(name, period, 'hold', name == 'front') for name, period in pairs]
    out = drive(CameraSync(cameras, load_limits()), apply(events, [drop_random('*', 0.02, 1)]))
    hit = {round((s.t0_ns - START_NS) / (100 * MS)) for s in out.sets}
    assert hit == set(range(300))


def test_after_a_gap_the_first_set_waits_for_all_cameras():
    events = [e for e in stream(30) if not 10 <= e.payload[1] < 20]
    out = drive(make_sync(), events)
    assert len(out.sets) == 20
    assert all(all(s.valid) and not any(s.held) for s in out.sets)


def test_thirty_hertz_cameras_give_ten_sets_a_second():
    out = drive(make_sync(30.0), stream(900, 30.0))
    steps = [b.t0_ns - a.t0_ns for a, b in zip(out.sets, out.sets[1:], strict=False)]
    assert 295 <= len(out.sets) <= 301
    assert max(steps) < 110 * MS
    assert max(s.skew_ns for s in out.sets) <= 5 * MS


def test_hold_gives_the_newest_real_frame_with_its_true_stamp():
    events = [e for e in stream(10, jitter_ms=0) if (e.source, e.payload[1]) != ('rear', 5)]
    out = drive(make_sync(), events)
    at = out.sets[5]
    rear = NAMES.index('rear')
    assert at.held == tuple(i == rear for i in range(6))
    assert at.stamps_ns[rear] == START_NS + 400 * MS
    assert at.payloads[rear] == ('rear', 4)
    assert at.skew_ns == 0


def test_hold_ends_after_one_period_and_the_camera_is_masked():
    events = [e for e in stream(10) if not (e.source == 'rear' and e.payload[1] in (5, 6))]
    out = drive(make_sync(), events)
    rear = NAMES.index('rear')
    assert [s.valid[rear] for s in out.sets] == [True] * 6 + [False] + [True] * 3
    assert out.sets[6].payloads[rear] is None


@pytest.mark.parametrize(
    ('policy', 'sets', 'held', 'masked'),
    [('hold', 10, 1, 0), ('mask', 10, 0, 1), ('reject', 9, 0, 0)],
)
def test_policies(policy, sets, held, masked):
    events = [e for e in stream(10) if (e.source, e.payload[1]) != ('rear', 5)]
    out = drive(make_sync(policy=policy), events)
    assert len(out.sets) == sets
    assert sum(any(s.held) for s in out.sets) == held
    assert sum(not all(s.valid) for s in out.sets) == masked
    assert out.count('SET_INCOMPLETE') == 10 - sets


def test_policy_is_per_camera():
    sync = CameraSync(
        [
            SyncCamera('front', 100 * MS, 'hold', True),
            SyncCamera('rear', 100 * MS, 'mask'),
            SyncCamera('rear_left', 100 * MS, 'hold'),
        ],
        load_limits(),
    )
    names = ('front', 'rear', 'rear_left')
    events = [e for e in stream(10, names=names) if e.source == 'front' or e.payload[1] != 5]
    at = drive(sync, events).sets[5]
    assert at.valid == (True, False, True)
    assert at.held == (False, False, True)


def test_without_the_required_camera_sets_end_after_three_periods():
    out = drive(make_sync(), apply(stream(30), [drop('front', 1.0)]))
    assert len(out.sets) == 12  # two timesteps held, then none
    assert out.count('SET_INCOMPLETE') >= 15
    lost = [t for t, f in out.health if f.code.name == 'CAM_MANDATORY_LOST']
    assert 400 * MS <= min(lost) - (START_NS + 930 * MS) <= 600 * MS


def test_a_dead_camera_does_not_delay_the_others():
    """Once it counts as silent a set leaves with the last frame that still comes."""
    sync = make_sync()
    latency = []
    for event in apply(stream(50), [drop('rear', 1.0)]):
        for result in sync.push(event.source, event.stamp_ns, None, event.arrival_ns):
            latency.append((event.arrival_ns - result.t0_ns) / MS)
    assert len(latency) >= 48
    assert max(latency[20:]) < 40


def test_start_waits_for_the_cameras_that_have_not_spoken_yet():
    out = drive(make_sync(required=NAMES), stream(10))
    assert len(out.sets) == 10
    assert all(all(s.valid) for s in out.sets)


def test_a_slow_camera_is_reported_by_its_rate():
    out = drive(make_sync(), apply(stream(200), [decimate('rear', 2)]))
    codes = {f.code.name for _, f in out.health}
    assert codes & {'CAM_RATE_WARN', 'CAM_RATE'}
    assert all('rear' in f.message for _, f in out.health)


def test_a_camera_that_nobody_watches_may_deliver():
    front = SyncCamera('front', 100 * MS, 'hold', True)
    rear = SyncCamera('rear', 100 * MS, 'mask', watched=False)
    sync = CameraSync([front, rear], load_limits())
    assert sync.push('rear', START_NS, None, START_NS) == []
    (found,) = sync.push('front', START_NS, None, START_NS)
    assert found.valid == (True, True)
    named = [f.values['camera'] for f in sync.watch.faults(START_NS + 10 * NS)]
    assert named == ['front']
