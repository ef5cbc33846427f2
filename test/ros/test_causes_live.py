"""The cause stands before its consequences in /diagnostics of a running graph."""

import time

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
HOLD_S = 5.0  # a step waits so long for its diagnosis; then the next one has to bring it


class Watching(Participant):
    """Keeps what /diagnostics says of whoever decides; a graph without odometry gives no plans.

    The monitor is no part of the lockstep, so the drive could end before it said anything: the
    world is held until its diagnosis is here.
    """

    def __init__(self, context: object) -> None:
        self.told: list[str] = []
        self._asked_s: dict[int, float] = {}
        super().__init__(
            context, plans=False, ready=lambda: self._diagnostics.get_publisher_count() > 0
        )
        self._diagnostics = self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_status, 50
        )

    def _on_status(self, message: DiagnosticArray) -> None:
        self.told += [s.message for s in message.status if s.name == 'alpamayo: trajectory']

    @property
    def named(self) -> list[str]:
        return [text for text in self.told if GAP in text]

    def complete(self, t0_ns: int) -> bool:
        """Whether the fault has been told; there may be no reply."""
        asked_s = self._asked_s.setdefault(t0_ns, time.monotonic())
        return bool(self.named) or time.monotonic() - asked_s > HOLD_S


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
    assert listener.named, listener.told
    for text in listener.named:
        assert -1 < text.find("got 'map'") < text.find(GAP), text
