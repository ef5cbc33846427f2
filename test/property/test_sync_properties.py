"""Whatever the cameras do, the sync never breaks these rules."""

import random

from camera_streams import MS, NAMES, START_NS, make_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet

frames = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(-150 * MS, 150 * MS),  # stamp against the time of arrival
        st.integers(0, 60 * MS),  # time since the frame before
    ),
    min_size=6,
    max_size=120,
)


def run(sync, events):
    now_ns, sets = START_NS, []
    for camera, offset_ns, wait_ns in events:
        now_ns += wait_ns
        sets += sync.push(camera, now_ns + offset_ns, None, now_ns)
        sets += sync.poll(now_ns)
    for _ in range(6):
        now_ns += 20 * MS
        sets += sync.poll(now_ns)
    return [s for s in sets if isinstance(s, SyncedSet)]


@settings(max_examples=60)
@given(frames, st.sampled_from(['hold', 'mask', 'reject']))
def test_no_set_exceeds_its_slop(events, policy):
    for found in run(make_sync(policy=policy), events):
        fresh = [
            stamp
            for stamp, ok, held in zip(found.stamps_ns, found.valid, found.held, strict=True)
            if ok and not held
        ]
        assert fresh
        assert max(fresh) - min(fresh) == found.skew_ns <= 50 * MS
        assert all(abs(stamp - found.t0_ns) <= 50 * MS for stamp in fresh)


@settings(max_examples=60)
@given(frames)
def test_sets_move_forward_and_held_frames_are_older(events):
    sets = run(make_sync(), events)
    for a, b in zip(sets, sets[1:], strict=False):
        assert b.t0_ns > a.t0_ns
    for found in sets:
        for stamp, ok, held in zip(found.stamps_ns, found.valid, found.held, strict=True):
            assert ok or not held
            assert not held or stamp < found.t0_ns


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_order_of_arrival_inside_a_timestep_does_not_matter(seed):
    order = list(NAMES)
    random.Random(seed).shuffle(order)
    sync = make_sync()
    out = []
    for step in range(5):
        for i, name in enumerate(order):
            stamp_ns = START_NS + step * 100 * MS + NAMES.index(name) * MS
            out += sync.push(name, stamp_ns, None, START_NS + step * 100 * MS + 30 * MS + i)
    assert [s.t0_ns for s in out] == [START_NS + k * 100 * MS for k in range(5)]
    assert all(s.skew_ns == 5 * MS for s in out)
