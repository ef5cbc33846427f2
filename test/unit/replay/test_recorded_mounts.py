"""A rig whose mounts contradict its names, or the recording, is refused before reading begins."""

import math

import numpy as np
import pytest
import replay_bag
from replay_bag import RIG, Drive

from alpamayo_ros.bags.outline import outline
from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.profile import load_profile
from alpamayo_ros.replay.options import Options
from alpamayo_ros.replay.recorded_mounts import contradictions
from alpamayo_ros.replay.setup import ReplayError, prepare
from alpamayo_ros.sensing.mounts import check_names
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Rig, rotation_xyz
from alpamayo_ros.statuses import ConfigError

NAMES = [camera.name for camera in RIG.cameras]


def turned(**yaw_rad: float) -> Rig:
    """The shipped rig with some cameras turned about the vertical axis."""
    cameras = [
        c.model_copy(update={'mount': c.mount.model_copy(update={'yaw_rad': yaw_rad[c.name]})})
        if c.name in yaw_rad
        else c
        for c in RIG.cameras
    ]
    return RIG.model_copy(update={'cameras': tuple(cameras)})


def written(path, transforms):
    with SensorBag(path) as bag:
        for (parent, child), pose in transforms.items():
            bag.transforms('/tf_static', replay_bag.START_NS, {(parent, child): pose})
    return path


def said(path, rig=RIG):
    return contradictions(path, outline(path), rig, NAMES)


@pytest.mark.parametrize(
    ('yaw_rad', 'words'),
    [
        ({'front_left': -1.05, 'front_right': 1.05}, "'front_left'.* 60 deg to the right.*left"),
        ({'rear': 0.0}, "'rear'.* 0 deg to the left.*not rear"),
        ({'front': math.pi}, "'front'.* 180 deg .*not front"),
        ({'front_left': 2.1, 'rear_left': 1.05}, "'front_left'.* 120 deg .*not front"),
    ],
)
def test_a_mount_that_contradicts_the_name_is_refused(yaw_rad, words):
    with pytest.raises(ConfigError, match=words):
        check_names(turned(**yaw_rad), NAMES)
    check_names(turned(**yaw_rad), [n for n in NAMES if n not in yaw_rad])  # of no use here


def test_sound_mounts_are_taken():
    check_names(RIG, NAMES)
    check_names(turned(front_left=-0.1, rear_right=-1.9), NAMES)  # of a stereo pair; nuScenes


def test_every_profile_and_the_shipped_rig_agree():
    check_names(RIG, [c.name for c in load_profile('alpamayo-1.5-10b').cameras])


def test_other_mounts_than_the_recorded_ones_are_refused(tmp_path):
    swapped = turned(front_left=-1.047198, front_right=1.047198)
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=1.2, mounted=swapped))
    with pytest.raises(ReplayError, match='other mounts than those of the rig') as refused:
        prepare(bag, Options(rig='sim'))
    text = str(refused.value)
    assert 'camera front_left: the rig has it' in text and 'camera front_right' in text
    assert 'looking 60 deg to the left' in text and '60 deg to the right' in text
    assert 'camera rear' not in text
    told = prepare(bag, Options(rig='sim', incomplete=True)).lacks
    assert [text.split(':')[0] for text in told] == ['camera front_left', 'camera front_right']


def test_the_recorded_mounts_of_the_rig_itself_are_no_contradiction(tmp_path):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=1.2, mounted=RIG))
    assert prepare(bag, Options(rig='sim')).lacks == ()


def test_a_chain_of_frames_is_followed_and_body_frames_are_known(tmp_path):
    front = RIG.camera('front')
    roof = np.eye(4)
    roof[:3, 3] = 1.0, 0.0, 1.2
    body = front.base_from_optical.copy()
    body[:3, :3] = body[:3, :3] @ BODY_FROM_OPTICAL.T
    chain = {('base_link', 'roof'): roof, ('roof', front.frame_id): np.linalg.inv(roof) @ body}
    assert said(written(tmp_path / 'a.mcap', chain)) == []
    body[0, 3] += 0.8
    chain = {('base_link', 'roof'): roof, ('/roof', front.frame_id): np.linalg.inv(roof) @ body}
    (text,) = said(written(tmp_path / 'b.mcap', chain))
    assert 'camera front' in text and '0 deg and 0.80 m apart' in text


def test_what_says_nothing_of_a_camera_is_no_contradiction(tmp_path):
    front = RIG.camera('front')
    away = np.eye(4)
    away[:3, :3] = rotation_xyz(0.0, 0.0, 2.0)
    lost = away.copy()
    lost[0, 3] = np.nan
    for number, transforms in enumerate(
        (
            {('base_link', 'lidar'): away},
            {('cabin', front.frame_id): away},  # not connected
            {(front.frame_id, 'a'): away, ('a', front.frame_id): away},  # a circle
            {('base_link', front.frame_id): lost},
        )
    ):
        assert said(written(tmp_path / f'{number}.mcap', transforms)) == []


def test_a_camera_on_its_head_is_called_so(tmp_path):
    front = RIG.camera('front')
    pose = front.base_from_optical @ np.diag([-1.0, -1.0, 1.0, 1.0])
    (text,) = said(written(tmp_path / 'a.mcap', {('base_link', front.frame_id): pose}))
    assert ', upside down: 180 deg and 0.00 m apart' in text
