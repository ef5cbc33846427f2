"""Rows F55 and F57: a second publisher of an input and a QoS that does not fit, on real topics."""

import os
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S, Listener, running
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String
from test_node_behaviour import answer

from alpamayo_ros.faults import Code
from alpamayo_ros.msg import CandidateArray
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.guards import FULL_EVERY, Guards

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside
TOPIC = '/alpamayo/words'
WRITER = (
    'import rclpy, sys\n'
    'from std_msgs.msg import String\n'
    'rclpy.init()\n'
    "node = rclpy.create_node('writer')\n"
    f"node.create_publisher(String, '{TOPIC}', 1)\n"
    'rclpy.spin(node)\n'
)


@pytest.fixture
def listener(rclpy_context):
    found = Listener(rclpy_context)
    yield found
    found.close()


def codes(guards: Guards) -> dict[Code, str]:
    guards.look()
    return {fault.code: fault.message for fault in guards.faults}


def test_f55_a_twin_is_named_with_its_topic_and_goes_with_it(listener):
    guards = Guards(listener.node, [TOPIC])
    first = listener.node.create_publisher(String, 'words', 1)
    assert listener.until(lambda: listener.node.count_publishers(TOPIC) == 1)
    assert codes(guards) == {}
    second = listener.node.create_publisher(String, 'words', 1)
    assert listener.until(lambda: Code.DUP_PUBLISHER in codes(guards))
    assert TOPIC in codes(guards)[Code.DUP_PUBLISHER] and guards.crowded(TOPIC)
    listener.node.destroy_publisher(second)
    assert listener.until(lambda: codes(guards) == {})
    listener.node.destroy_publisher(first)


def test_a_glance_looks_when_numbers_change_and_at_the_latest_at_its_turn(listener, monkeypatch):
    guards = Guards(listener.node, [TOPIC])
    looks: list[int] = []
    look = guards.look
    monkeypatch.setattr(guards, 'look', lambda: (looks.append(1), look()))
    guards.glance()  # the first
    for _ in range(FULL_EVERY - 2):
        guards.glance()
    assert len(looks) == 1
    guards.glance()  # at its turn
    assert len(looks) == 2
    writers = [listener.node.create_publisher(String, 'words', 1) for _ in range(2)]
    assert listener.until(lambda: listener.node.count_publishers(TOPIC) == 2)
    guards.glance()
    assert [fault.code for fault in guards.faults] == [Code.DUP_PUBLISHER]
    listener.node.destroy_publisher(writers.pop())
    assert listener.until(lambda: guards.glance() or not guards.faults)
    listener.node.destroy_publisher(writers.pop())


def test_f57_a_misfit_is_named_with_topic_and_policy_and_goes_with_it(listener):
    guards = Guards(listener.node, [TOPIC])
    qos.watched_subscription(listener.node, String, 'words', lambda m: None, qos.output(False))
    assert codes(guards) == {}
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    writer = listener.node.create_publisher(String, 'words', best_effort)
    assert listener.until(lambda: Code.QOS_INCOMPATIBLE in codes(guards))
    text = codes(guards)[Code.QOS_INCOMPATIBLE]
    assert TOPIC in text and 'Best effort publisher and reliable subscription' in text
    listener.node.destroy_publisher(writer)
    assert listener.until(lambda: codes(guards) == {})


def test_f50_a_killed_process_has_no_twin_in_its_successor(listener):
    """The middleware still lists its publisher, for 20 s."""
    guards = Guards(listener.node, [TOPIC])
    count = lambda: listener.node.count_publishers(TOPIC)  # noqa: E731
    start = lambda: subprocess.Popen([sys.executable, '-c', WRITER], env={**os.environ})  # noqa: E731
    known: set[bytes] = set()

    def succeeded() -> bool:
        found = listener.node.get_publishers_info_by_topic(TOPIC)
        known.update(bytes(writer.endpoint_gid) for writer in found)
        return len(known) == 2

    first = start()
    assert listener.until(lambda: count() == 1)
    assert codes(guards) == {} and not succeeded()
    first.kill()
    first.wait()
    second = start()
    try:
        assert listener.until(lambda: succeeded()), 'the successor is found'
        assert codes(guards) == {}
        listener.node.create_publisher(String, 'words', 1)
        assert listener.until(lambda: Code.DUP_PUBLISHER in codes(guards))
    finally:
        second.kill()
        second.wait()


@pytest.mark.slow
def test_f55_a_second_publisher_of_candidates_and_f56_a_foreign_deactivation(tmp_path, listener):
    """On the graph of a vehicle: the twin is in Health, the planner stays active."""
    with running(['vehicle', '--runtime', 'scripted'], tmp_path) as graph:
        assert listener.until(lambda: len(listener.health) > 3), graph.log
        assert 'DUP_PUBLISHER' not in listener.health[-1].faults
        named = lambda: 'DUP_PUBLISHER' in listener.health[-1].faults  # noqa: E731
        twin = listener.node.create_publisher(CandidateArray, 'candidates', qos.output(False))
        writers = lambda: listener.node.count_publishers('/alpamayo/candidates')  # noqa: E731
        assert listener.until(lambda: writers() == 2), graph.log
        assert listener.until(named), graph.log
        listener.node.destroy_publisher(twin)
        assert listener.until(lambda: not named()), graph.log
        assert listener.until(lambda: 'activate from inactive, asked by the node' in graph.log)
        client = listener.node.create_client(ChangeState, 'planner/change_state')
        assert listener.until(client.service_is_ready, PATIENCE_S)
        wanted = Transition(id=Transition.TRANSITION_DEACTIVATE)
        result = answer(client, ChangeState.Request(transition=wanted), listener)
        assert not result.success
        denied = 'planner: deactivate from active, asked by its service; autostart is on'
        assert listener.until(lambda: denied in graph.log), graph.log
