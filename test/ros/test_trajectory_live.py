"""The trajectory node alone, running: takeover, a clock that steps back, a fault upstream."""

import re
import time

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S, Listener
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from test_node_behaviour import answer, start

from alpamayo_ros.msg import FrameSetInfo, Health
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.units import NS

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside
LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)  # lines from before
SIM_TIME = '/**:\n  ros__parameters:\n    use_sim_time: true\n'


class Clocked(Listener):
    """A listener that is the clock of the graph, twenty times a second at most."""

    def __init__(self, context: object) -> None:
        super().__init__(context)
        self.now_ns, self._last_s = 1000 * NS, 0.0
        self._clock = self.node.create_publisher(Clock, '/clock', 10)
        self.said: list[str] = []
        heard = lambda line: self.said.append(line.msg)  # noqa: E731
        self.node.create_subscription(Log, '/rosout', heard, LATCHED)

    def audited(self, asked: str) -> bool:
        """Who did what, with the name of a node; it may come after the deed."""
        return any(re.match(rf'audit: {asked} (was )?by /[\w/]+', line) for line in self.said)

    def work(self) -> None:
        if time.monotonic() - self._last_s > 0.05:
            self._last_s = time.monotonic()
            self.now_ns += NS // 20
            self._clock.publish(Clock(clock=stamp(self.now_ns)))


@pytest.fixture
def running_node(tmp_path, rclpy_context):
    listener, process = Clocked(rclpy_context), start('trajectory', tmp_path, SIM_TIME)
    yield listener
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    listener.close()


def test_takeover_a_clock_that_steps_back_and_a_fault_upstream(running_node):
    """One after the other, since FAULT is final."""
    listener = running_node
    newest = lambda: listener.health[-1]  # noqa: E731
    assert listener.until(lambda: len(listener.health) > 3)

    arm = listener.node.create_client(Trigger, 'trajectory/arm')
    assert listener.until(arm.service_is_ready)
    said = answer(arm, Trigger.Request(), listener)
    assert not said.success and said.message.startswith('INIT: ODOM_GAP: ')  # not 'configured'
    while not listener.until(lambda: listener.audited('arm'), 2.0):
        answer(arm, Trigger.Request(), listener)  # the name of who asked may come late

    takeover = listener.node.create_publisher(Bool, 'takeover', qos.output(False))
    assert listener.until(takeover.get_subscription_count)
    taken = lambda: takeover.publish(Bool(data=True)) or 'TAKEOVER' in newest().faults  # noqa: E731
    assert listener.until(taken)
    assert listener.until(lambda: listener.audited('takeover')), listener.said
    said = answer(arm, Trigger.Request(), listener)
    assert not said.success and 'the driver has taken over' in said.message

    listener.now_ns -= 50 * NS
    before = len(listener.health)
    assert listener.until(lambda: any('CLOCK_BACK' in h.faults for h in listener.health[before:]))
    assert listener.until(lambda: 'CLOCK_BACK' not in newest().faults)

    upstream = listener.node.create_publisher(FrameSetInfo, 'frame_set_info', qos.output(False))
    assert listener.until(upstream.get_subscription_count)
    found = FrameSetInfo(accepted=True, faults=['CALIBRATION_CHANGED'])
    found.header.stamp = stamp(listener.now_ns)
    upstream.publish(found)
    assert listener.until(lambda: newest().state == Health.FAULT)
    assert any('CALIBRATION_CHANGED' in h.faults for h in listener.health)
    assert not listener.plans
