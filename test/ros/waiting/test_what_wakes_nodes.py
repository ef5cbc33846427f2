"""What nodes of the driver wake for, free-running: nothing that nobody waits for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import rclpy
from graph import PATIENCE_S

from alpamayo_ros.msg import FrameSetInfo
from alpamayo_ros.nodes.camera_sync import CameraSyncNode
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.nodes.common.executor import NodeExecutor
from alpamayo_ros.nodes.common.waiting import sampled
from alpamayo_ros.nodes.egomotion import EgomotionNode
from alpamayo_ros.profile import share_dir
from alpamayo_ros.units import NS

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside


@pytest.fixture
def started(ros_domain):
    """A maker of nodes with the parameters that ship."""
    file = share_dir() / 'config' / 'nodes.param.yaml'
    rclpy.init(args=['--ros-args', '--params-file', str(file)], domain_id=ros_domain)
    made = []

    def start(kind: Callable[[], rclpy.node.Node]) -> rclpy.node.Node:
        made.append(kind())
        return made[0]

    yield start
    for node in made:
        node.destroy_node()
    rclpy.try_shutdown()


def test_egomotion_looks_again_only_while_a_timestep_waits_for_odometry(started):
    node = started(EgomotionNode)
    executor = NodeExecutor()
    executor.add_node(node)
    assert node._poll.is_canceled()
    info = FrameSetInfo(accepted=True)
    info.header.stamp = stamp(1000 * NS)
    node._on_info(info)
    assert not node._poll.is_canceled()
    end_s = time.monotonic() + PATIENCE_S
    while node._waiting and time.monotonic() < end_s:
        executor.turn(0.1)
    executor.shutdown()
    assert not node._waiting, 'it is answered without odometry once it has waited long enough'
    assert node._poll.is_canceled()


def test_no_odometry_wakes_camera_sync(started):
    """It wants the speed when it has pictures."""
    node = started(CameraSyncNode)
    assert [s.topic_name for s in sampled(node)] == [node.resolve_topic_name(node._odometry_topic)]
