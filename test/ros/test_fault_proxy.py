"""Faults between the sensors and the driving nodes of a vehicle or a recording."""

from dataclasses import replace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import numpy as np
import replay_bag
from graph import running
from nav_msgs.msg import Odometry
from replay_bag import Drive

from alpamayo_ros.nodes.common.convert import heading, ns, pose, stamp
from alpamayo_ros.nodes.messages.told_state import told, written

SENSORS = 'drop(source=front,start_s=2,stop_s=4);shift_stamp(source=rear,offset_ms=-400,start_s=5)'


@pytest.fixture
def message():
    out = Odometry(child_frame_id='base_link')
    out.header.stamp, out.header.frame_id = stamp(7_000_000_001), 'odom'
    out.pose.pose = pose(3.0, -2.0, 0.7)
    out.pose.pose.position.z, out.twist.twist.linear.y = 0.4, 0.1
    out.twist.twist.linear.x, out.twist.twist.angular.z = 5.0, 0.2
    out.pose.covariance = np.arange(36.0)
    return out


def test_what_no_injector_touches_arrives_as_it_was(message):
    assert written(told(message), ns(message.header.stamp)) == message


def test_only_what_was_changed_differs(message):
    aside = written(replace(told(message), y_m=3.0, speed_mps=float('nan')), 5)
    assert aside.pose.pose.position.y == 3.0 and np.isnan(aside.twist.twist.linear.x)
    assert ns(aside.header.stamp) == 5 and ns(message.header.stamp) == 7_000_000_001
    aside.header.stamp = message.header.stamp
    aside.pose.pose.position.y, aside.twist.twist.linear.x = -2.0, 5.0
    assert aside == message
    turned = written(replace(told(message), heading_rad=-1.0), 5)
    assert heading(turned.pose.pose) == pytest.approx(-1.0)


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_replay_suffers_what_is_put_between(tmp_path, ros_domain):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=8.0))
    words = ['replay', '--bag', str(bag), '--runtime', 'scripted', '--inject', SENSORS]
    with running(words, tmp_path) as graph:
        assert graph.wait() == 0, graph.log
    assert 'Traceback' not in graph.log
    said = [line for line in graph.lines if 'fault_proxy' in line]
    assert any('injection begins: drop(source=front), until 4 s' in line for line in said)
    lines = [line for line in graph.lines if 'camera_sync' in line]
    assert any('CAM_MANDATORY_LOST' in line and 'camera=front ' in line for line in lines), lines
    # The rear camera's stamps lag by four periods: its pictures are late, or no set holds them.
    assert any('rear' in line and ('CAM_' in line or 'SKEW' in line) for line in lines), lines
