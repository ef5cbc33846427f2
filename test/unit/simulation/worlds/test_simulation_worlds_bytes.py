"""Pictures of the other maps and of rain by night are the same bytes in another process."""

import hashlib
import multiprocessing

import pytest

pytest.importorskip('moderngl')

from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world

NAMES = ('night_rain', 'merge_dense', 'roundabout_busy_at_night')


def digest() -> str:
    out = hashlib.sha256()
    for name in NAMES:
        world = open_world(load_scenario(name), 1)
        for _ in range(12):
            world.step(*expert.control(world))
        for camera, image in sorted(world.images().items()):
            out.update(camera.encode() + image.tobytes())
        world.close()
    return out.hexdigest()


def test_bytes_are_the_same_again_and_in_another_process() -> None:
    first = digest()
    assert first == digest()
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert pool.apply(digest) == first
