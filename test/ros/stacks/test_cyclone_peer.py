"""A peer on Cyclone DDS reads our trajectory under the Fast DDS profile for it.

Its types are read from annotations, so that these are not postponed here.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
pytest.importorskip('autoware_planning_msgs', reason='see tools/autoware_messages')
pytest.importorskip('cyclonedds', reason='cyclonedds is not installed: pip install cyclonedds')

from cyclonedds.core import Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.idl import types as idl
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic

from alpamayo_ros import environment
from alpamayo_ros.profile import share_dir

PATIENCE_S = 120.0
SENDER = """
import time, rclpy
import numpy as np
from alpamayo_ros.bridges.autoware.points import Points
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.nodes.stack import messages
rclpy.init()
node, kinds = rclpy.create_node('sender'), messages.stack()
out = node.create_publisher(
    kinds.autoware_planning_msgs.Trajectory, '/planning/trajectory', qos.output(False))
for count in range(3000):
    row = np.arange(5.0)
    points = Points(row, 10 * row, -row, 0 * row, row / 2, row / 4, row / 8, row / 16)
    out.publish(messages.trajectory(kinds, stamp(count * 10**9 + 7), 'map', points))
    time.sleep(0.05)
"""


@dataclass
class Time(IdlStruct, typename='builtin_interfaces::msg::dds_::Time_'):
    sec: idl.int32
    nanosec: idl.uint32


@dataclass
class Duration(IdlStruct, typename='builtin_interfaces::msg::dds_::Duration_'):
    sec: idl.int32
    nanosec: idl.uint32


@dataclass
class Header(IdlStruct, typename='std_msgs::msg::dds_::Header_'):
    stamp: Time
    frame_id: str


@dataclass
class Point(IdlStruct, typename='geometry_msgs::msg::dds_::Point_'):
    x: idl.float64
    y: idl.float64
    z: idl.float64


@dataclass
class Quaternion(IdlStruct, typename='geometry_msgs::msg::dds_::Quaternion_'):
    x: idl.float64
    y: idl.float64
    z: idl.float64
    w: idl.float64


@dataclass
class Pose(IdlStruct, typename='geometry_msgs::msg::dds_::Pose_'):
    position: Point
    orientation: Quaternion


@dataclass
class TrajectoryPoint(IdlStruct, typename='autoware_planning_msgs::msg::dds_::TrajectoryPoint_'):
    time_from_start: Duration
    pose: Pose
    longitudinal_velocity_mps: idl.float32
    lateral_velocity_mps: idl.float32
    acceleration_mps2: idl.float32
    heading_rate_rps: idl.float32
    front_wheel_angle_rad: idl.float32
    rear_wheel_angle_rad: idl.float32


@dataclass
class Trajectory(IdlStruct, typename='autoware_planning_msgs::msg::dds_::Trajectory_'):
    header: Header
    points: idl.sequence[TrajectoryPoint]


@pytest.mark.ros
@pytest.mark.slow
def test_a_cyclone_peer_reads_equal_values(ros_domain: int) -> None:
    profile = share_dir() / environment.WITH_CYCLONE
    told = {environment.fast_dds(): str(profile), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
    participant = DomainParticipant(ros_domain)
    topic = Topic(participant, 'rt/planning/trajectory', Trajectory)
    reliable = Qos(Policy.Reliability.Reliable(10**9), Policy.History.KeepLast(100))
    reader = DataReader(participant, topic, qos=reliable)
    sender = subprocess.Popen([sys.executable, '-c', SENDER], env={**os.environ, **told})
    found: list[Trajectory] = []
    try:
        end_s = time.monotonic() + PATIENCE_S
        while len(found) < 20 and time.monotonic() < end_s and sender.poll() is None:
            found += reader.take(N=100)
            time.sleep(0.02)
    finally:
        sender.kill()
        sender.wait()
    print(f'{len(found)} samples')
    assert len(found) >= 20
    for sample in found:
        assert sample.header.frame_id == 'map' and sample.header.stamp.nanosec == 7
        assert [p.pose.position.x for p in sample.points] == [0.0, 10.0, 20.0, 30.0, 40.0]
        assert [p.pose.position.y for p in sample.points] == [0.0, -1.0, -2.0, -3.0, -4.0]
        assert [p.time_from_start.sec for p in sample.points] == [0, 1, 2, 3, 4]
        assert [p.longitudinal_velocity_mps for p in sample.points] == [0.0, 0.5, 1.0, 1.5, 2.0]
        assert [p.front_wheel_angle_rad for p in sample.points] == [i / 16 for i in range(5)]
