"""Which timestep lies in which page of the device, known by its pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.runtime.torch_cuda.timesteps import SAMPLE, Timestep, Timesteps

SHAPE = (2, 64, 64, 3)  # six bytes in one are in the sample
PAGES = 3


def picture(level: int, number: int = 0) -> Timestep:
    return Timestep(np.full(SHAPE, level, np.uint8), np.ones(2, bool), number)


@pytest.fixture
def held() -> Timesteps:
    return Timesteps(PAGES, SHAPE, pinned=False)


def test_the_same_pixels_are_found_and_nothing_else(held: Timesteps) -> None:
    one = picture(1)
    place = held.put(one, ())
    assert held.find(picture(1)) == place
    assert held.find(picture(2)) is None and held.find(picture(1, number=1)) is None
    assert held.find(replace(one, valid=np.array([True, False]))) is None


def test_a_pixel_outside_the_sample_makes_another_timestep(held: Timesteps) -> None:
    held.put(picture(1), ())
    images = picture(1).images.copy()
    images.reshape(-1)[1] = 9
    other = replace(picture(1), images=images)
    assert images.size > SAMPLE and other.key == picture(1).key
    assert held.find(other) is None
    place = held.put(other, ())
    assert held.find(other) == place and held.find(picture(1)) is None


def test_what_was_not_asked_for_longest_gives_way(held: Timesteps) -> None:
    places = [held.put(picture(i), ()) for i in range(PAGES)]
    assert held.find(picture(0)) == places[0]
    new = held.put(picture(7), (places[1], None))
    assert new.page == places[2].page and new.mark > places[2].mark
    assert held.find(picture(2)) is None and held.find(picture(1)) == places[1]


def test_a_wanted_page_whose_picture_was_replaced_is_not_written(held: Timesteps) -> None:
    """Two timesteps of one cycle that only pixels outside the sample tell apart."""
    images = picture(1).images.copy()
    images.reshape(-1)[1] = 9
    first = held.put(picture(1), ())
    assert held.put(replace(picture(1), images=images), (first,)).page != first.page


def test_what_was_not_finished_is_dropped(held: Timesteps) -> None:
    place = held.put(picture(1), ())
    held.put(picture(2), ())
    held.drop(place)
    assert held.find(picture(1)) is None and len(held) == 1
    held.clear()
    assert len(held) == 0
