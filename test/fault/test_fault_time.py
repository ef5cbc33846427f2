"""Fault matrix, rows F16 to F20 at level P: clocks and stamps."""

import itertools

import pytest
from camera_streams import MS, NAMES, NS, START_NS, drive, make_sync, stream

from alpamayo_ros.simulation.inject import (
    apply,
    drop,
    duplicate,
    jump_clock,
    set_stamp,
    shift_stamp,
    shuffle,
)


@pytest.mark.parametrize('dead', [None, 'rear_left'])
def test_f16_clock_jumps_back(dead):
    """A camera dies at 5 s; at 10 s the bag loops 50 s back with all cameras: 297 of 300 sets."""
    stop = [drop(dead, 5.0, 10.0)] if dead else []
    out = drive(make_sync(required=NAMES), apply(stream(400), [*stop, jump_clock(10.0, -50.0)]))
    later = [s for s in out.sets if s.t0_ns < START_NS - 5 * NS]
    assert out.count('CLOCK_BACK') == 1
    assert len(later) >= 297
    assert all(all(s.valid) for s in later)
    first = min(s.t0_ns for s in later) - (START_NS - 40 * NS)
    assert first <= 300 * MS


@pytest.mark.parametrize('by_s', [10.0, 3600.0])
def test_f17_clock_jumps_forward(by_s):
    """No set holds data from before the jump; sets go on within 2 s."""
    out = drive(make_sync(), apply(stream(100), [jump_clock(5.0, by_s)]))
    assert 'CLOCK_FORWARD' in out.codes()
    jumped = START_NS + 5 * NS + round(by_s * NS) - 100 * MS
    later = [s for s in out.sets if s.t0_ns >= jumped]
    assert len(later) >= 48
    assert all(min(s.stamps_ns) >= jumped for s in later)
    assert min(s.t0_ns for s in later) - jumped <= 400 * MS


def test_f17_a_burst_of_old_frames_is_refused():
    """What was under way when the clock jumped comes with old stamps."""
    sync = make_sync()
    drive(sync, stream(20))
    now_ns = START_NS + 100 * NS
    old = [sync.push(n, START_NS + 2 * NS, None, now_ns) for n in NAMES]
    codes = {f.code.name for f in itertools.chain(*old)}
    assert codes == {'CLOCK_FORWARD', 'CAM_STALE'}


def test_f18_out_of_order_stamps():
    """Shuffled within 300 ms: sets stay monotonic and every late frame is counted."""
    events = apply(stream(300), [shuffle('rear', 260, 1)])
    newest, late = 0, 0
    for event in (e for e in events if e.source == 'rear'):
        late += event.stamp_ns < newest
        newest = max(newest, event.stamp_ns)
    sync = make_sync()
    out = drive(sync, events)
    times = [s.t0_ns for s in out.sets]
    assert times == sorted(set(times))
    assert late > 20
    stale = sync.counts['CAM_STALE']
    assert sync.counts['STAMP_LATE'] + stale == late + stale


@pytest.mark.parametrize('payload', [None, 'another image'])
def test_f19_duplicated_stamps(payload):
    """The first is kept, the rest is STAMP_DUP; the number of sets is unchanged."""
    sync = make_sync()
    out = drive(sync, apply(stream(100), [duplicate('*', payload)]))
    assert len(out.sets) == 100
    assert sync.counts['STAMP_DUP'] == 600
    assert all('another image' not in s.payloads for s in out.sets)


@pytest.mark.parametrize(
    'bad', [set_stamp('*', 0, 1.95, 3.95), shift_stamp('*', 1000, 1.95, 3.95)]
)
def test_f20_zero_or_future_stamps(bad):
    """STAMP_INVALID, no set meanwhile, and recovery on the first good stamps."""
    out = drive(make_sync(), apply(stream(100), [bad]))
    assert out.count('STAMP_INVALID') == 120
    times = [s.t0_ns - START_NS for s in out.sets]
    assert not [t for t in times if 1_950 * MS < t < 3_950 * MS]
    assert [t for t in times if 3_950 * MS <= t <= 4_060 * MS]
    assert len([t for t in times if t > 3_950 * MS]) == 60


def test_f20_slightly_ahead_is_a_warning():
    """20 to 100 ms ahead of the clock: used, and warned of."""
    out = drive(make_sync(), apply(stream(50), [shift_stamp('*', 80)]))
    assert len(out.sets) == 50
    assert {f.code.name for f in out.faults} == {'STAMP_FUTURE_WARN'}
