"""The cause stands before its consequences in /diagnostics of a running graph."""

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import replay_bag
from diagnostic_msgs.msg import DiagnosticArray
from graph import LISTENED, running
from participant import Participant
from replay_bag import Drive

from alpamayo_ros.msg import Health

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]  # other work beside
GAP, FRAME = 'ODOM_GAP', 'ODOM_FRAME'


class Watching(Participant):
    """Keeps what /diagnostics says of whoever decides; a graph without odometry gives no plans."""

    def __init__(self, context: object) -> None:
        self.told: list[str] = []
        super().__init__(
            context, plans=False, ready=lambda: self._diagnostics.get_publisher_count() > 0
        )
        self._diagnostics = self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_status, 50
        )

    def _on_status(self, message: DiagnosticArray) -> None:
        self.told += [s.message for s in message.status if s.name == 'alpamayo: trajectory']

    def complete(self, t0_ns: int) -> bool:
        """Nothing is waited for: there may be no reply."""
        return True


def test_odometry_in_another_frame_leads_and_its_absence_follows(tmp_path, rclpy_context):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=3.0, frame_id='map'))
    listener = Watching(rclpy_context)
    words = ['replay', *LISTENED, '--bag', str(bag), '--runtime', 'scripted']
    with running(words, tmp_path) as graph:
        assert listener.until(lambda: graph.process.poll() is not None), graph.log
    listener.close()
    assert 'Traceback' not in graph.log
    assert any({GAP, FRAME} <= set(h.faults) for h in listener.health), graph.log
    assert all(h.state != Health.ACTIVE for h in listener.health)
    named = [text for text in listener.told if GAP in text]
    assert named, listener.told
    for text in named:
        assert -1 < text.find("got 'map'") < text.find(GAP), text
