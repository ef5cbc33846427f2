"""The node among the topics of Autoware: permission, plans, a route that was said before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
pytest.importorskip('autoware_planning_msgs', reason='see tools/autoware_messages')
pytest.importorskip('autoware_internal_planning_msgs', reason='see tools/autoware_messages')

import rclpy
from autoware_adapi_v1_msgs.msg import OperationModeState
from autoware_planning_msgs.msg import (
    LaneletPrimitive,
    LaneletRoute,
    LaneletSegment,
    Trajectory,
)
from autoware_vehicle_msgs.msg import ControlModeReport
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String
from std_srvs.srv import Trigger

from alpamayo_ros.msg import ChainOfCausation, Health, NavInstruction, PlannedTrajectory
from alpamayo_ros.nodes.autoware import AutowareNode
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import floats, ns, pose, stamp
from alpamayo_ros.nodes.common.node import ConfigurationError
from alpamayo_ros.profile import share_dir

PATIENCE_S = 120.0


def lane_map() -> str:
    """100 m straight on, then a quarter circle of 15 m to the left."""
    angles = np.linspace(0.0, np.pi / 2, 10)
    lines = {'l1': [(0.0, 1.5), (100.0, 1.5)], 'r1': [(0.0, -1.5), (100.0, -1.5)]}
    for side, radius in (('l2', 13.5), ('r2', 16.5)):
        lines[side] = [(100 + radius * np.sin(a), 15 - radius * np.cos(a)) for a in angles]
    out, number = ['<osm>'], 0
    for name, line in lines.items():
        refs = []
        for x, y in line:
            number += 1
            tags = f'<tag k="local_x" v="{x}"/><tag k="local_y" v="{y}"/>'
            out.append(f'<node id="{number}">{tags}</node>')
            refs.append(f'<nd ref="{number}"/>')
        out.append(f'<way id="{name}">{"".join(refs)}</way>')
    for lane, turn in ((1, ''), (2, 'left')):
        tags = {'type': 'lanelet', 'subtype': 'road', 'turn_direction': turn}
        text = ''.join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items() if v)
        members = f'<member role="left" ref="l{lane}"/><member role="right" ref="r{lane}"/>'
        out.append(f'<relation id="{lane}">{members}{text}</relation>')
    return ''.join([*out, '</osm>'])


class Surroundings:
    """Autoware, the vehicle and our driver, as far as the node sees them."""

    def __init__(self) -> None:
        self.node = rclpy.create_node('surroundings', namespace='/alpamayo')
        make, out = self.node.create_publisher, qos.output(False)
        mode, control = '/system/operation_mode/state', '/vehicle/status/control_mode'
        self.mode = make(OperationModeState, mode, qos.latched())
        self.report = make(ControlModeReport, control, out)
        self.health = make(Health, 'health', out)
        self.plan = make(PlannedTrajectory, 'trajectory', out)
        self.words = make(ChainOfCausation, 'chain_of_causation', out)
        self.route = make(LaneletRoute, '/planning/mission_planning/route', qos.latched())
        self.odometry = make(Odometry, '/localization/kinematic_state', qos.sensor(False))
        self.calls: list[str] = []
        self.heard: list[Any] = []
        self.armed = False
        self.autoware: AutowareNode | None = None
        for verb in ('arm', 'disarm'):
            take = self._arm if verb == 'arm' else self._disarm
            self.node.create_service(Trigger, f'trajectory/{verb}', take)
        hear = self.node.create_subscription
        hear(Trajectory, '/planning/trajectory', self.heard.append, out)
        hear(NavInstruction, 'nav_instruction', self.heard.append, qos.latched(10))
        hear(String, '/alpamayo/reasoning', self.heard.append, out)

    def _arm(self, request: Any, response: Any) -> Any:
        self.calls.append('arm')
        response.success = self.armed = True
        return response

    def _disarm(self, request: Any, response: Any) -> Any:
        self.calls.append('disarm')
        response.success, self.armed = True, False
        return response

    def allow(self, mode: int = 2, enabled: bool = True) -> None:
        self.mode.publish(OperationModeState(mode=mode, is_autoware_control_enabled=enabled))

    def drive(self) -> None:
        """What is said all the time."""
        self.report.publish(ControlModeReport(mode=1))
        self.health.publish(Health(armed=self.armed))
        at = Odometry(child_frame_id='base_link')
        at.header.stamp, at.header.frame_id = self.node.get_clock().now().to_msg(), 'map'
        at.pose.pose = pose(60.0, 0.0, 0.0)
        self.odometry.publish(at)


@pytest.fixture
def started(ros_domain: int, tmp_path: Path) -> Iterator[tuple[Surroundings, Callable[..., bool]]]:
    """A route is said first, then the node starts."""
    rig = yaml.safe_load((share_dir() / 'config' / 'rigs' / 'sim.yaml').read_text())
    rig['odometry'] = {'topic': '/localization/kinematic_state', 'frame_id': 'map'}
    (tmp_path / 'rig.yaml').write_text(yaml.safe_dump(rig))
    (tmp_path / 'map.osm').write_text(lane_map())
    own = {'map_osm': str(tmp_path / 'map.osm'), 'rig': str(tmp_path / 'rig.yaml')}
    (tmp_path / 'own.yaml').write_text(yaml.safe_dump({'/**/autoware': {'ros__parameters': own}}))
    files = (share_dir() / 'config' / 'nodes.param.yaml', tmp_path / 'own.yaml')
    words = ['--ros-args', '-r', '__ns:=/alpamayo']
    for file in files:
        words += ['--params-file', str(file)]
    rclpy.init(args=words, domain_id=ros_domain)
    around = Surroundings()
    goal = LaneletRoute(segments=[_segment(1), _segment(2)])
    goal.header.frame_id, goal.goal_pose = 'map', pose(115.0, 15.0, np.pi / 2)
    around.route.publish(goal)
    node = around.autoware = AutowareNode()
    executor = SingleThreadedExecutor()
    executor.add_node(around.node)
    executor.add_node(node)

    def until(condition: Callable[[], bool], for_s: float = PATIENCE_S) -> bool:
        end_s, said_s = time.monotonic() + for_s, 0.0
        while not condition() and time.monotonic() < end_s:
            if time.monotonic() - said_s > 0.05:
                said_s = time.monotonic()
                around.drive()
            executor.spin_once(timeout_sec=0.02)
        return condition()

    yield around, until
    executor.shutdown()
    for one in (node, around.node):
        one.destroy_node()
    rclpy.try_shutdown()


def _segment(number: int) -> LaneletSegment:
    return LaneletSegment(preferred_primitive=LaneletPrimitive(id=number))


def of(around: Surroundings, kind: type) -> list[Any]:
    return [m for m in around.heard if isinstance(m, kind)]


@pytest.mark.ros
def test_permission_route_and_plan(started) -> None:
    around, until = started
    assert until(lambda: bool(of(around, NavInstruction)))  # the route was there before the node
    said = of(around, NavInstruction)[0]
    assert said.maneuver == NavInstruction.LEFT and said.distance_m == pytest.approx(40.0, abs=2.5)
    assert around.calls == []
    around.allow(enabled=False)
    assert not until(lambda: bool(around.calls), 0.5)
    around.allow()
    assert until(lambda: around.armed) and set(around.calls) == {'arm'}
    until(lambda: False, 0.3)
    assert around.autoware is not None
    for timer in around.autoware.timers:  # the message itself disarms: nothing waits for a look
        timer.cancel()
    around.allow(mode=1)
    asked_s = time.monotonic()
    assert until(lambda: not around.armed)
    print(f'disarmed after {1e3 * (time.monotonic() - asked_s):.0f} ms')
    until(lambda: False, 0.3)
    assert around.calls[-1] == 'disarm' and not around.armed
    plan = PlannedTrajectory(dt_s=0.1, odom_frame='map', pose_in_odom=pose(60.0, 0.0, 0.0))
    plan.header.stamp = stamp(77 * 10**9)
    plan.time_from_start_s = floats(np.arange(1, 61) * 0.1)
    plan.x_m = floats(np.arange(1, 61) * 0.5)
    for name in ('y_m', 'heading_rad', 'acceleration_mps2', 'yaw_rate_rps', 'steering_rad'):
        setattr(plan, name, floats(np.zeros(60)))
    plan.speed_mps = floats(np.full(60, 5.0))
    around.plan.publish(plan)
    around.words.publish(ChainOfCausation(text='a car brakes'))
    assert until(lambda: bool(of(around, Trajectory)) and bool(of(around, String)))
    sent = of(around, Trajectory)[0]
    assert ns(sent.header.stamp) == 77 * 10**9 and sent.header.frame_id == 'map'
    assert len(sent.points) == 61 and sent.points[0].pose.position.x == 60.0
    assert of(around, String)[0].data == 'a car brakes'


@pytest.mark.ros
def test_a_rig_in_another_frame_is_refused(ros_domain: int) -> None:
    file = share_dir() / 'config' / 'nodes.param.yaml'
    rclpy.init(args=['--ros-args', '--params-file', str(file)], domain_id=ros_domain)
    try:
        with pytest.raises(ConfigurationError, match="frame is 'map' and the odometry of the rig"):
            AutowareNode()
    finally:
        rclpy.try_shutdown()
