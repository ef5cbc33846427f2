"""The page list: nothing that a cycle wants is overwritten, and numbers follow each other."""

from __future__ import annotations

import random

import pytest

from alpamayo_ros.model.fast.pages import Pages
from alpamayo_ros.profile import Frames
from alpamayo_ros.units import MS

PERIOD = 100 * MS


@pytest.mark.parametrize(('count', 'wanted'), [(3, 6), (4, 9)])
@pytest.mark.parametrize('jitter_ms', [0, 60])
def test_pages_hold_what_they_are_said_to(count: int, wanted: int, jitter_ms: int) -> None:
    """Two minutes at 10 Hz with timesteps 250 ms apart, cycles on time or late."""
    drawn, pages = random.Random(3), Pages(Frames(count=count, spacing_s=0.25), 0.1)
    assert pages.count == wanted
    held: dict[int, int] = {}
    now, numbers = 0, []
    for cycle in range(1200):
        now += PERIOD + drawn.randint(0, jitter_ms) * MS
        found = pages.take(now)
        held[found.page] = now
        there = zip(found.chosen, found.stamps_ns, strict=True)
        assert all(held[page] == stamp for page, stamp in there if stamp is not None)
        assert found.stamps_ns[0] == now
        numbers.append(found.number)
        if cycle < wanted:
            continue
        for age, stamp in enumerate(found.stamps_ns):
            assert stamp is not None
            assert abs(now - stamp - age * 250 * MS) <= PERIOD + jitter_ms * MS
    assert numbers[0] == 0 and {b - a for a, b in zip(numbers, numbers[1:], strict=False)} <= {
        0,
        1,
    }


def test_ages_at_ten_hertz() -> None:
    """The nearest that have the right number: 0.2 or 0.3 s, then 0.5 s."""
    pages = Pages(Frames(count=3, spacing_s=0.25), 0.1)
    found = [pages.take(cycle * PERIOD) for cycle in range(30)]
    ages = {tuple((i * PERIOD - (t or 0)) // MS for t in f.stamps_ns)
            for i, f in enumerate(found) if i > 5}  # fmt: skip
    assert ages == {(0, 200, 500), (0, 300, 500)}


def test_what_was_never_kept_is_absent() -> None:
    """Before the first pages, after a gap in which a number or all of them passed."""
    pages = Pages(Frames(count=3, spacing_s=0.25), 0.1)
    first = pages.take(0)
    assert first.chosen == (0, 0, 0) and first.stamps_ns == (0, None, None)
    for cycle in range(1, 9):
        pages.take(cycle * PERIOD)
    gap = pages.take(1100 * MS)  # 750 to 1000 ms have number 3; 800 ms is the last of them
    assert gap.stamps_ns == (1100 * MS, 800 * MS, 600 * MS)
    gap = pages.take(1600 * MS)
    assert gap.stamps_ns == (1600 * MS, None, 1100 * MS)
    late = pages.take(5000 * MS)
    assert late.stamps_ns == (5000 * MS, None, None) and late.chosen == (late.page,) * 3


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match='at least one cycle a timestep'):
        Pages(Frames(count=3, spacing_s=0.25), 0.3)
    pages = Pages(Frames(count=3, spacing_s=0.25), 0.1)
    pages.take(PERIOD)
    with pytest.raises(ValueError, match='start anew'):
        pages.take(PERIOD)
    with pytest.raises(ValueError, match='expected the time of a picture'):
        Pages(Frames(count=3, spacing_s=0.25), 0.1).take(-1)
