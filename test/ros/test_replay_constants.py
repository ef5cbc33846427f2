"""Offline replay has the values that the nodes read from their parameter files."""

import dataclasses

import pytest
import yaml

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.nodes.awareness import WINDOW_S as SCENE_WINDOW_S
from alpamayo_ros.profile import share_dir
from alpamayo_ros.replay import cycle, motion
from alpamayo_ros.replay import instructed as words
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.units import NS

FILES = ('nodes.param.yaml', 'simulation.param.yaml')


@pytest.fixture(scope='module')
def parameters():
    found = {}
    for name in FILES:
        for node, tree in yaml.safe_load((share_dir() / 'config' / name).read_text()).items():
            found.setdefault(node.removeprefix('/**/'), {}).update(tree['ros__parameters'])
    return found


def test_offline_replay_is_as_late_as_lockstep(parameters):
    assert parameters['trajectory']['lockstep_latency_s'] == cycle.LATENCY_S


def test_motion_is_smoothed_alike(parameters):
    egomotion = parameters['egomotion']
    assert egomotion['acceleration_window_s'] == motion.WINDOW_S == SCENE_WINDOW_S
    assert round(egomotion['imu_age_s'] * NS) == motion.IMU_AGE_NS


def test_instructions_hold_alike(parameters):
    navigation = parameters['navigation']
    assert round(navigation['effect_s'] * NS) == words.EFFECT_NS
    assert round(navigation['hold_s'] * NS) == words.HOLD_NS
    assert navigation['use_route'] is False  # offline replay reads no route


def test_arming_and_period_are_alike(parameters):
    found = cycle.armed(PlanConfig.from_files('nano'))
    trajectory = parameters['trajectory']
    assert (found.auto_arm, found.auto_rearm) == (True, True)
    assert (trajectory['auto_arm'], trajectory['auto_rearm']) == (True, True)
    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    assert fields['period_s'] == trajectory['period_s']
