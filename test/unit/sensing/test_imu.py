"""An Imu message gives acceleration only where it says that it holds one, in base_link."""

import math
from types import SimpleNamespace

import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.profile import load_profile
from alpamayo_ros.replay.motion import Ego
from alpamayo_ros.sensing.imu import ForwardAcceleration
from alpamayo_ros.sensing.rig import load_rig

NS = 1_000_000_000
T = 1000 * NS


def imu(value, frame='base_link', covariance=0.0):
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=frame, stamp=SimpleNamespace(sec=T // NS, nanosec=0)),
        linear_acceleration=SimpleNamespace(x=value),
        linear_acceleration_covariance=[covariance] + [0.0] * 8,
    )


@pytest.mark.parametrize(
    ('message', 'seen'),
    [(imu(1.5), 1.5), (imu(9.81, covariance=-1.0), None), (imu(math.nan), None)],
)
def test_what_is_no_estimate_is_not_used(message, seen):
    known = ForwardAcceleration('base_link')
    assert known.take(message) is None
    assert known.at(T, NS) == seen
    assert known.at(T + 2 * NS, NS) is None


def test_another_frame_is_refused_by_name_once():
    known = ForwardAcceleration('base_link')
    fault = known.take(imu(-9.3, 'camera_imu_optical_frame', 0.01))
    assert fault.code is Code.ODOM_FRAME
    assert "'base_link'" in fault.message and "'camera_imu_optical_frame'" in fault.message
    assert known.take(imu(-9.3, 'camera_imu_optical_frame', 0.01)) is None
    assert known.at(T, NS) is None


def test_the_replay_refuses_as_the_node_does():
    ego = Ego(load_profile('nano'), load_rig('sim').odometry)
    assert ego.imu(imu(9.81, 'imu_link', -1.0)).code is Code.ODOM_FRAME
    assert ego.imu(imu(9.81, covariance=-1.0)) is None
