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
        assert [held[page] for page in found.chosen] == list(found.stamps_ns)
        assert found.stamps_ns[0] == now
        numbers.append(found.number)
        if cycle < wanted:
            continue
        assert found.complete
        for age, stamp in enumerate(found.stamps_ns):
            assert abs(now - stamp - age * 250 * MS) <= PERIOD + jitter_ms * MS
    assert numbers[0] == 0 and {b - a for a, b in zip(numbers, numbers[1:], strict=False)} <= {
        0,
        1,
    }


def test_ages_at_ten_hertz() -> None:
    """The nearest that have the right number: 0.2 or 0.3 s, then 0.5 s."""
    pages = Pages(Frames(count=3, spacing_s=0.25), 0.1)
    found = [pages.take(cycle * PERIOD) for cycle in range(30)]
    ages = {tuple((f.stamps_ns[0] - t) // MS for t in f.stamps_ns) for f in found[6:]}
    assert ages == {(0, 200, 500), (0, 300, 500)}


def test_before_the_first_pages_and_after_a_gap_the_nearest_stands_in() -> None:
    pages = Pages(Frames(count=3, spacing_s=0.25), 0.1)
    first = pages.take(0)
    assert first.chosen == (0, 0, 0) and not first.complete
    for cycle in range(1, 9):
        pages.take(cycle * PERIOD)
    late = pages.take(5000 * MS)
    assert late.stamps_ns == (5000 * MS,) * 3 and not late.complete


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match='at least one cycle a timestep'):
        Pages(Frames(count=3, spacing_s=0.25), 0.3)
    pages = Pages(Frames(count=3, spacing_s=0.25), 0.1)
    pages.take(PERIOD)
    with pytest.raises(ValueError, match='start anew'):
        pages.take(PERIOD)
