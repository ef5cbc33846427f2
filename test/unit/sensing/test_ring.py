"""The frame ring chooses timesteps by capture time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import Frames, load_profile
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.types import FrameSet, FrameStack

MS = 1_000_000
PROFILE = load_profile('nano')
V = len(PROFILE.views)


def frame_set(t0_ns: int, late_ns: int = 0, valid: bool = True) -> FrameSet:
    """A set whose pixels tell its time in units of 10 ms; ``late_ns``: age of the last view."""
    images = np.full((V, 64, 112, 3), t0_ns // (10 * MS) % 251, np.uint8)
    stamps = np.full(V, t0_ns)
    stamps[-1] -= late_ns
    return FrameSet(t0_ns, images, stamps, np.array([True] * (V - 1) + [valid]))


def ring(times_ms, period_ms=100) -> FrameRing:
    out = FrameRing(period_ms * MS)
    for t in times_ms:
        assert out.push(frame_set(t * MS)) is None
    return out


def ages_ms(stack: FrameStack) -> list[int]:
    return [round(float(a) * 1000) for a in stack.age_s[:, 0]]


@pytest.mark.parametrize(
    ('period_ms', 'expected'),
    [(100, [0, 300, 500, 800]), (83, [0, 249, 498, 747]), (33, [0, 264, 495, 759])],
)
def test_nearest_by_capture_time_and_ties_take_the_older(period_ms, expected):
    times = [5000 - k * period_ms for k in range(40)][::-1]
    stack = ring(times, period_ms).stack(5000 * MS, PROFILE)
    assert isinstance(stack, FrameStack)
    assert ages_ms(stack) == expected
    assert stack.images.shape == (4, V, 64, 112, 3)
    assert stack.age_s.dtype == np.float32
    assert stack.images[1, 0, 0, 0, 0] == (5000 - expected[1]) // 10 % 251


def test_no_set_serves_two_timesteps():
    """Spacing as long as the period: half a period and its jitter would reach the neighbour."""
    close = PROFILE.model_copy(update={'frames': Frames(count=4, spacing_s=0.1)})
    whole = ring(range(4000, 5001, 100)).choose(5000 * MS, close)
    assert [s.t0_ns // MS for s in whole] == [5000, 4900, 4800, 4700]
    late = ring([4700, 4847, 4953, 5000]).choose(5000 * MS, close)  # 47 and 53 ms from their times
    assert isinstance(late, Fault) and late.message.startswith('timestep 1 wants')
    shared = ring([4700, 4850, 5000]).choose(5000 * MS, close)  # halfway between two timesteps
    assert (
        isinstance(shared, Fault) and 'within 50 ms; the nearest is 50 ms away' in shared.message
    )


@settings(max_examples=30)
@given(st.lists(st.integers(-60, 60), min_size=11, max_size=11))
def test_at_any_jitter_a_set_is_chosen_once(jitters):
    close = PROFILE.model_copy(update={'frames': Frames(count=4, spacing_s=0.1)})
    times = sorted({1000 + 100 * k + j for k, j in enumerate(jitters)} | {2100})
    chosen = ring(times).choose(2100 * MS, close)
    if not isinstance(chosen, Fault):
        assert len({s.t0_ns for s in chosen}) == 4


def test_ages_are_true_view_by_view():
    frames = ring(range(4000, 4900, 100))
    frames.push(frame_set(4900 * MS, late_ns=100 * MS, valid=False))
    stack = frames.stack(4900 * MS, PROFILE)
    assert stack.age_s[0, 0] == 0
    assert stack.age_s[0, -1] == pytest.approx(0.1)
    assert not stack.valid[0, -1]
    assert stack.valid[0, :-1].all()


def test_a_hole_in_the_past_is_named():
    stack = ring([4000, 4100, 4700, 4800, 4900]).stack(4900 * MS, PROFILE)
    assert isinstance(stack, Fault)
    assert stack.code is Code.FRAME_HISTORY
    assert 'timestep 2 wants a frame set at t0 - 500 ms' in stack.message


def test_t0_itself_must_be_there():
    assert ring(range(4000, 5000, 100)).stack(4950 * MS, PROFILE).code is Code.FRAME_HISTORY


def test_twelve_hundred_ms_are_kept():
    frames = ring(range(0, 10_000, 100))
    assert len(frames) == 13


def test_late_and_repeated_sets_are_refused_and_a_jump_back_empties():
    frames = ring([50_000, 50_100])
    assert frames.push(frame_set(50_100 * MS)).code is Code.STAMP_DUP
    assert frames.push(frame_set(50_050 * MS)).code is Code.STAMP_LATE
    assert len(frames) == 2
    assert frames.push(frame_set(100 * MS)).code is Code.CLOCK_BACK
    assert len(frames) == 1


def test_reset():
    frames = ring([100, 200])
    frames.reset()
    assert len(frames) == 0


@settings(max_examples=100)
@given(
    st.lists(st.integers(-8, 8), min_size=12, max_size=12),
    st.sets(st.integers(1, 11), max_size=4),
)
def test_every_choice_is_the_nearest_and_within_half_a_period(jitters, missing):
    times = [
        1000 + 100 * k + (j if k < 11 else 0)
        for k, j in enumerate(jitters)
        if 11 - k not in missing
    ]
    t0_ns = times[-1] * MS
    chosen = ring(times).choose(t0_ns, PROFILE)
    for k in range(PROFILE.frames.count):
        wanted = t0_ns - k * 250 * MS
        nearest = min(abs(t * MS - wanted) for t in times)
        if isinstance(chosen, Fault):
            continue
        assert abs(chosen[k].t0_ns - wanted) == nearest <= 55 * MS
    if isinstance(chosen, Fault):
        gaps = [min(abs(t * MS - (t0_ns - k * 250 * MS)) for t in times) for k in range(4)]
        assert max(gaps) > 55 * MS
