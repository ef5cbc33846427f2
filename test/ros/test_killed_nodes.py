"""Row F50: kill -9 of each node is named at once, and the node comes back; nothing is left."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from diagnostic_msgs.msg import DiagnosticArray
from graph import PATIENCE_S, Listener, leftovers, running
from std_msgs.msg import String

from alpamayo_ros.faults import Code
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.common import presence
from alpamayo_ros.nodes.common.presence import DRIVERS, WRITES, Presence

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]  # other work beside
LOST = Code.NODE_LOST.name


class Watching(Listener):
    """Keeps the newest status of every node, as /diagnostics tells it, and who was ever lost."""

    def __init__(self, context: object) -> None:
        super().__init__(context)
        self.status: dict[str, str] = {}
        self.lost: set[str] = set()
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)

    def _on_status(self, message: DiagnosticArray) -> None:
        self.status |= {s.name.removeprefix('alpamayo: '): s.message for s in message.status}
        self.lost |= {name for name, text in self.status.items() if text.startswith(LOST)}


@pytest.mark.slow
def test_f50_every_node_that_is_killed_is_named_and_comes_back(
    tmp_path, rclpy_context, ros_domain
):
    listener = Watching(rclpy_context)
    living = lambda name: listener.node.get_publishers_info_by_topic(f'/alpamayo/{WRITES[name]}')  # noqa: E731
    with running(['vehicle', '--runtime', 'scripted'], tmp_path) as graph:
        assert listener.until(lambda: all(living(n) for n in WRITES) and listener.health)
        known = lambda: set(WRITES) <= set(listener.status)  # noqa: E731 - monitor saw them too
        assert listener.until(known), (listener.status, graph.log)
        before = len(listener.health)  # whoever decides looked for them some times more
        assert listener.until(lambda: len(listener.health) > before + 40), graph.log
        for name in WRITES:
            (victim,) = graph.pids(f'nodes.{name} ')
            ends = {bytes(e.endpoint_gid) for e in living(name)}
            before = len(listener.health)
            os.kill(victim, signal.SIGKILL)
            told = lambda: name in listener.lost  # noqa: E731, B023
            assert listener.until(told), (name, listener.status, graph.log)
            if name in DRIVERS:  # whoever decides knows it too
                heard = lambda: any(LOST in h.faults for h in listener.health[before:])  # noqa: E731, B023
                assert listener.until(heard), (name, graph.log)
            back = lambda: {bytes(e.endpoint_gid) for e in living(name)} - ends  # noqa: E731, B023
            assert listener.until(back), (name, graph.log)
            assert graph.pids(f'nodes.{name} ') not in ([], [victim])
            before = len(listener.health)
            clear = lambda: [h for h in listener.health[before:] if LOST not in h.faults]  # noqa: E731, B023
            assert listener.until(clear), (name, graph.log)
        assert {h.state for h in listener.health} <= {Health.INIT, Health.FAULT}
    listener.close()
    assert 'Traceback' not in graph.log
    assert leftovers(ros_domain) == []


def test_a_node_counts_as_lost_after_two_looks_and_only_if_it_was_there(
    rclpy_context, monkeypatch
):
    monkeypatch.setitem(presence.WRITES, 'writer', '/words')
    monkeypatch.setitem(presence.WRITES, 'nobody', '/silence')
    listener = Listener(rclpy_context)
    found = Presence(listener.node, ('writer', 'nobody'))
    found.look()
    assert not found.lost and found.fault is None
    code = (
        'import rclpy; from std_msgs.msg import String; rclpy.init()\n'
        "n = rclpy.create_node('w'); n.create_publisher(String, '/words', 1); rclpy.spin(n)\n"
    )
    process = subprocess.Popen([sys.executable, '-c', code], env={**os.environ})
    try:
        assert listener.until(lambda: listener.node.count_publishers('/words'))
        found.look()
        assert not found.lost
    finally:
        process.kill()
        process.wait(PATIENCE_S)
    found.look()
    assert not found.lost  # the middleware lists it still; one look is not enough
    found.look()
    assert found.lost == ('writer',) and found.fault is not None
    assert found.fault.code is Code.NODE_LOST and 'writer' in found.fault.message
    back = listener.node.create_publisher(String, '/words', 1)
    assert listener.until(lambda: found.look() or not found.lost)
    listener.node.destroy_publisher(back)
    listener.close()
