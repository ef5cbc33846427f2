"""Cutting a recording into steps: any rate, jitter, loss and holes."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from camera_streams import MS, NAMES, NS, START_NS, drive, make_sync, stream

from alpamayo_ros.faults import Fault
from alpamayo_ros.replay.steps import Arrival, StepLimits, cut, form
from alpamayo_ros.simulation.inject import apply, drop, drop_random

RATES = [1.0, 2.0, 5.0, 10.0, 12.0, 15.0, 20.0, 30.0]


@dataclass(frozen=True)
class Item:
    """A message of a bag: an image, or odometry where ``source`` says so."""

    time_ns: int
    source: str
    stamp_ns: int


def bag(timesteps, hz=10.0, *injectors, jitter_ms=2.0, odometry_hz=50.0):
    """Images and odometry in the order in which a recorder would have got them."""
    events = apply(stream(timesteps, hz, jitter_ms), list(injectors))
    items = [Item(e.arrival_ns, e.source, e.stamp_ns) for e in events]
    for i in range(round(timesteps / hz * odometry_hz)):
        time_ns = START_NS + round(i * NS / odometry_hz)
        items.append(Item(time_ns, 'odometry', time_ns))
    return sorted(items, key=lambda item: item.time_ns)


def front(item):
    return item.source == 'front'


def outcomes(items, hz=10.0, **options):
    """What the sync makes of the steps, each result with its step."""
    sync, out = make_sync(hz, **options), []
    for step in cut(items, front):
        images = [
            Arrival(m.source, m.stamp_ns, m.time_ns, m)
            for m in step.messages
            if m.source != 'odometry'
        ]
        out += [(step, result) for result in form(sync, images, step.end_ns)]
    return out


@pytest.mark.parametrize('hz', RATES)
@pytest.mark.parametrize('jitter_ms', [0.0, 8.0])
def test_every_message_is_in_exactly_one_step_in_order(hz, jitter_ms):
    items = bag(40, hz, drop_random('*', 0.1, 3), jitter_ms=jitter_ms)
    steps = list(cut(items, front))
    assert [m for step in steps for m in step.messages] == items
    assert [step.index for step in steps] == list(range(len(steps)))
    assert all(a.end_ns == b.begin_ns for a, b in pairwise(steps))
    for step in steps:
        assert 0 < step.end_ns - step.begin_ns <= 150 * MS
        assert all(step.begin_ns < m.time_ns <= step.end_ns for m in step.messages)


@pytest.mark.parametrize('hz', RATES)
@pytest.mark.parametrize('seed', range(2))
def test_the_sets_of_the_steps_are_those_of_a_running_clock(hz, seed):
    events = stream(60, hz, seed=seed)
    items = [Item(e.arrival_ns, e.source, e.stamp_ns) for e in events]
    found = [r for _, r in outcomes(items, hz) if not isinstance(r, Fault)]
    live = drive(make_sync(hz), events).sets
    assert [s.t0_ns for s in found] == [s.t0_ns for s in live]
    assert [s.stamps_ns for s in found] == [s.stamps_ns for s in live]
    assert all(all(s.valid) and not any(s.held) for s in found)


def test_at_ten_hertz_each_step_has_one_reference_image_and_gives_one_set():
    items = bag(50, jitter_ms=8.0)
    steps = [s for s in cut(items, front) if any(map(front, s.messages))]
    assert [sum(map(front, s.messages)) for s in steps] == [1] * 50
    found = outcomes(items)
    assert len({step.index for step, _ in found}) == len(found) == 50
    for step, result in found:
        assert result.t0_ns in [m.stamp_ns for m in step.messages]


def test_cameras_that_are_triggered_one_after_the_other_meet_in_one_step():
    lag = {name: i * 8 * MS for i, name in enumerate(NAMES)}
    items = [
        Item(START_NS + i * 100 * MS + lag[n] + 20 * MS, n, START_NS + i * 100 * MS + lag[n])
        for i in range(20)
        for n in NAMES
    ]
    found = outcomes(sorted(items, key=lambda m: m.time_ns))
    assert len(found) == 20
    assert all(all(r.valid) and r.skew_ns == 40 * MS for _, r in found)


@pytest.mark.parametrize('lost_s', [0.3, 1.0, 7.0])
def test_time_goes_on_without_the_reference_camera(lost_s):
    items = bag(100, 10.0, drop('front', 1.0, 1.0 + lost_s))
    steps = list(cut(items, front))
    assert max(s.end_ns - s.begin_ns for s in steps) <= 150 * MS
    results = [r for _, r in outcomes(items)]
    t0s = [r.values['t0_ns'] if isinstance(r, Fault) else r.t0_ns for r in results]
    assert 99 <= len(t0s) <= 101
    assert all(80 * MS < b - a < 130 * MS for a, b in pairwise(t0s))
    lost = [r for r in results if isinstance(r, Fault)]
    assert {r.code.name for r in lost} == {'SET_INCOMPLETE'}
    assert len(lost) == pytest.approx(lost_s * 10, abs=3)


def test_a_hole_is_jumped_over_and_the_last_set_before_it_is_kept():
    early = bag(10, 10.0, drop('rear', 0.85))
    late = [Item(m.time_ns + 3600 * NS, m.source, m.stamp_ns + 3600 * NS) for m in bag(10)]
    steps = list(cut([*early, *late], front))
    assert len(steps) < 40
    results = [r for _, r in outcomes([*early, *late])]
    assert sum(not isinstance(r, Fault) for r in results) == 20
    assert [r.code.name for r in results if isinstance(r, Fault)] == ['CLOCK_FORWARD']


def test_one_hertz_has_no_jump_of_the_clock():
    results = [r for _, r in outcomes(bag(8, 1.0, odometry_hz=1.0), 1.0)]
    assert len(results) == 8 and not any(isinstance(r, Fault) for r in results)


def test_the_last_images_are_waited_for_after_the_end():
    items = bag(10, 10.0, drop('rear', 0.85), odometry_hz=1e-9)
    *_, (step, last) = outcomes(items)
    assert not isinstance(last, Fault)
    assert last.held[NAMES.index('rear')]
    assert step.end_ns >= items[-1].time_ns + 50 * MS - 5 * MS


def test_reading_is_lazy():
    read = 0

    def source():
        nonlocal read
        for item in bag(200):
            read += 1
            yield item

    steps = cut(source(), front)
    next(steps)
    assert read < 30


def test_nothing_gives_no_step_and_one_message_gives_its_step():
    assert list(cut([], front)) == []
    (step,) = cut([Item(NS, 'odometry', NS)], front)
    assert [m.source for m in step.messages] == ['odometry']
    assert step.end_ns == NS - 1 + StepLimits().longest_ns


def test_a_refused_image_is_not_seen_by_the_sync():
    sync = make_sync()
    images = [Arrival(n, NS, NS, None if n == 'rear' else n) for n in NAMES]
    (found,) = form(sync, images, NS + 50 * MS)
    assert found.valid == tuple(n != 'rear' for n in NAMES)
