"""The executor of a node: a wait a callback, and QoS events all the same."""

import time
from collections import Counter

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import rclpy
from graph import PATIENCE_S
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from alpamayo_ros.nodes.common.executor import NodeExecutor

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside


@pytest.fixture
def node(rclpy_context):
    made = rclpy.create_node('one', context=rclpy_context, namespace='/executor')
    yield made
    made.destroy_node()


@pytest.fixture
def executor(rclpy_context, node):
    made = NodeExecutor(context=rclpy_context)
    made.add_node(node)
    yield made
    made.shutdown()


def test_a_callback_costs_one_wait(executor, node, monkeypatch):
    ran, waits, can_execute = [], Counter(), executor.can_execute

    def counted(entity):
        waits[id(entity)] += 1
        return can_execute(entity)

    monkeypatch.setattr(executor, 'can_execute', counted)
    timer, guard = node.create_timer(0.001, lambda: ran.append(1)), executor._guard
    spins = 0
    while len(ran) < 20:
        executor.spin_once()
        spins += 1
    timer.cancel()
    assert waits[id(timer)] <= spins + 1
    assert executor._guard is guard, 'what other threads trigger wakes it as ever'


def test_a_misfit_is_reported_though_no_message_ever_comes(executor, node):
    seen, ran = [], []
    timer = node.create_timer(0.001, lambda: ran.append(1))
    while not ran:  # the first wait is for events too
        executor.spin_once()
    timer.cancel()
    events = SubscriptionEventCallbacks(incompatible_qos=seen.append)
    asks = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
    offers = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    node.create_subscription(String, 'words', print, asks, event_callbacks=events)
    node.create_publisher(String, 'words', offers)
    end_s = time.monotonic() + PATIENCE_S
    while not seen and time.monotonic() < end_s:
        executor.spin_once()
    assert len(seen) == 1
