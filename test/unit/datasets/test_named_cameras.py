"""Cameras of a foreign vehicle get one name each, by where they look."""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.datasets.named_cameras import YAW_OF, camera, names_of
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Rig, load_rig

MATRIX = (100.0, 0.0, 50.0, 0.0, 100.0, 50.0, 0.0, 0.0, 1.0)


def mount(yaw_deg: float) -> np.ndarray:
    """Optical frame in base_link of a level camera that looks ``yaw_deg`` to the left."""
    c, s = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    out = np.eye(4)
    out[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ BODY_FROM_OPTICAL
    return out


def test_each_direction_has_its_name():
    assert names_of({name: mount(yaw) for name, yaw in YAW_OF.items()}) == {n: n for n in YAW_OF}


def test_the_camera_that_looks_there_best_keeps_the_plain_name():
    found = names_of({'tele': mount(8), 'wide': mount(-2), 'left': mount(52), 'third': mount(-20)})
    assert found == {'tele': 'front_2', 'wide': 'front', 'left': 'front_left', 'third': 'front_3'}


def test_two_cameras_with_one_direction_make_a_rig():
    mounts = {'wide': mount(0), 'tele': mount(0)}
    names = names_of(mounts)
    assert names == {'wide': 'front', 'tele': 'front_2'}
    cameras = tuple(camera(names[k], m, MATRIX, (100, 100), 10.0) for k, m in mounts.items())
    rig = Rig(name='two', description='', cameras=cameras, vehicle=load_rig('sim').vehicle)
    assert len({c.topic for c in rig.cameras} | {c.info_topic for c in rig.cameras}) == 4
