"""The controller as a node: it goes on commanding while it brakes, and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import rclpy

from alpamayo_ros.nodes.controller import ControllerNode
from alpamayo_ros.profile import share_dir
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

NOW = 1000 * NS


@pytest.fixture
def controller(ros_domain: int) -> Iterator[ControllerNode]:
    """The node with the parameters that ship."""
    file = share_dir() / 'config' / 'nodes.param.yaml'
    rclpy.init(args=['--ros-args', '--params-file', str(file)], domain_id=ros_domain)
    node = ControllerNode()
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def test_a_brake_is_commanded_and_told_once(
    controller: ControllerNode, capfd: pytest.CaptureFixture[str]
) -> None:
    controller.engagement.on_health(True)
    controller.ego = EgoState(NOW, 0.0, 0.0, 0.0, 5.0)
    assert [controller.tick(NOW + i * NS // 50) for i in range(3)] == [1, 2, 3]
    assert capfd.readouterr().err.count('brakes: no reference') == 1


def test_it_is_silent_before_the_driver_is_armed(controller: ControllerNode) -> None:
    assert controller.tick(NOW) == 0
