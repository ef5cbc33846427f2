"""Fault matrix, rows F01, F05, F14, F15 at level P: what the sync makes of bad timing."""

import json
import subprocess
import sys

import pytest
from camera_streams import MS, NAMES, START_NS, drive, make_sync, stream

from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.safety.state import Events, Mode, SafetyState, advance
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.simulation.inject import apply, decimate, drop, drop_random, shift_stamp

PROFILE = load_profile('nano')


@pytest.mark.parametrize('camera', ['front', 'rear_left'])
def test_f01_stale_camera(camera):
    """CAM_STALE; no set ever uses a frame older than 300 ms, over 60 s."""
    out = drive(make_sync(required=NAMES), apply(stream(600), [shift_stamp(camera, -400)]))
    assert 'CAM_STALE' in out.codes()
    assert out.count('CAM_STALE') == 600
    assert len(out.sets) == 0


def test_f01_stale_from_some_moment_on():
    events = apply(stream(300), [shift_stamp('rear', -400, 5.0)])
    out = drive(make_sync(), events)
    rear = NAMES.index('rear')
    for found in out.sets:
        assert found.t0_ns - found.stamps_ns[rear] <= 300 * MS
    assert not any(s.valid[rear] for s in out.sets if s.t0_ns > START_NS + 5_200 * MS)
    lost = [t for t, f in out.health if f.code.name == 'CAM_LOST']
    assert 250 * MS < min(lost) - (START_NS + 4_930 * MS) < 500 * MS


@pytest.mark.parametrize('outage_s', [1.0, 3.0, 12.0])
def test_f03_an_outage_that_has_ended_stops_nobody_again(outage_s):
    """The front camera is away and back: one FALLBACK, and none for 20 s of healthy frames."""
    back_s = 12.0 + outage_s
    events = apply(stream(round(10 * back_s) + 200), [drop('front', 12.0, back_s)])
    out = drive(make_sync(), events, poll_ms=50)
    said: dict[int, list] = {}
    for at_ns, fault in out.health:
        said.setdefault(at_ns, []).append(fault)
    state, modes = SafetyState(mode=Mode.ACTIVE), []
    for now_ns in range(START_NS, START_NS + round((back_s + 19) * 1e9), 50 * MS):
        near = [f for at, found in said.items() if 0 <= now_ns - at < 50 * MS for f in found]
        state = advance(state, Events(tuple(near), not near, 1.0), load_limits(), now_ns)
        modes += [state.mode] if [state.mode] != modes[-1:] else []
    assert Mode.FALLBACK in modes and modes[-1] is Mode.ACTIVE
    assert max(said) < START_NS + round((back_s + 0.2) * 1e9)
    assert modes.count(Mode.FALLBACK) == 1, modes


def bench(drops: float, timesteps: int) -> dict:
    """Many timesteps in a process of its own, where shape checks do not slow it down."""
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'bench', 'sync', '--json']
    done = subprocess.run(
        [*command, '--timesteps', str(timesteps), '--drops', str(drops), '--seed', '5'],
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_f05_intermittent_drops():
    """10 %: at least 85 % of the sets; no slop violation in 10,000 timesteps, at 30 % either."""
    ten, thirty = bench(0.1, 10_000), bench(0.3, 4_000)
    assert ten['sets'] >= 8_500
    assert ten['max_skew_ms'] <= 50
    assert thirty['sets'] > 2_000
    assert thirty['max_skew_ms'] <= 50


@pytest.mark.parametrize(('share', 'degraded'), [(0.1, False), (0.3, True)])
def test_f05_rate_is_judged_over_a_hundred_frames(share, degraded):
    """ACTIVE at 10 %, DEGRADED at 30 %: CAM_RATE_WARN is the code that degrades."""
    out = drive(make_sync(), apply(stream(250), [drop_random('*', share, 3)]), poll_ms=50)
    rates = {f.code.name for _, f in out.health} & {'CAM_RATE_WARN', 'CAM_RATE'}
    assert rates == ({'CAM_RATE_WARN'} if degraded else set())


def test_f14_skew_is_refused():
    """A camera whose frames lie 60 ms beside the others': no set while it lasts."""
    out = drive(make_sync(), apply(stream(100), [shift_stamp('rear', -60, 2.0)]))
    assert out.count('SKEW') >= 75
    assert all(s.t0_ns < START_NS + 2_300 * MS for s in out.sets)
    assert all(s.skew_ns <= 50 * MS for s in out.sets)


@pytest.mark.parametrize('offset_ms', [55, 60, 70])
def test_f14_a_constant_lead_is_matched_with_the_neighbouring_frame(offset_ms):
    """At 10 Hz a lead of 60 ms is 40 ms to the frame before: real sets, and warned of."""
    out = drive(make_sync(), apply(stream(100), [shift_stamp('rear', offset_ms, 2.0)]))
    assert all(s.skew_ns <= 50 * MS for s in out.sets)
    late = [s for s in out.sets if s.t0_ns > START_NS + 2_300 * MS]
    assert len(late) >= 76
    assert {f.code.name for s in late for f in s.faults} == {'SKEW_WARN'}


def test_f14_skew_without_a_neighbour_is_refused_every_time():
    """At 5 Hz there is no closer frame: no set at all while it lasts."""
    sync = make_sync(5.0)
    out = drive(sync, apply(stream(60, 5.0), [shift_stamp('rear', 60, 2.0)]))
    assert out.count('SKEW') >= 45
    assert all(s.t0_ns < START_NS + 2_300 * MS for s in out.sets)


def test_f14_twenty_ms_is_a_warning_only():
    out = drive(make_sync(), apply(stream(100), [shift_stamp('rear', 20)]))
    assert len(out.sets) == 100
    assert out.codes() == {'SKEW_WARN'}


def frame_times(out) -> list[int]:
    return [s.t0_ns for s in out.sets]


@pytest.mark.parametrize('hz', [5.0, 20.0])
def test_f15_rate_halved_or_doubled(hz):
    """Declared 10 Hz, delivered otherwise: decimated, or chosen by true age, or refused."""
    import numpy as np

    from alpamayo_ros.faults import Fault
    from alpamayo_ros.types import FrameSet

    out = drive(make_sync(10.0), stream(200, hz))
    steps = [b - a for a, b in zip(frame_times(out), frame_times(out)[1:], strict=False)]
    assert min(steps) >= 50 * MS
    if hz == 5.0:
        assert 'CAM_RATE_WARN' in out.codes() or 'CAM_RATE' in out.codes()
    ring, stacks = FrameRing(), 0
    blank = np.zeros((7, 64, 112, 3), np.uint8)
    for found in out.sets[:60]:
        views = np.full(7, found.t0_ns)
        ring.push(FrameSet(found.t0_ns, blank, views, np.ones(7, bool)))
        stack = ring.stack(found.t0_ns, PROFILE)
        if isinstance(stack, Fault):
            continue
        stacks += 1
        for k in range(4):
            assert abs(float(stack.age_s[k, 0]) - 0.25 * k) <= 0.0551
    assert stacks > 20 or hz == 5.0


def test_f15_one_camera_halved_is_held_and_reported():
    out = drive(make_sync(), apply(stream(200), [decimate('rear', 2)]))
    rear = NAMES.index('rear')
    assert len(out.sets) == 200
    assert 95 <= sum(s.held[rear] for s in out.sets) <= 100
    assert out.codes() & {'CAM_RATE_WARN', 'CAM_RATE'}
