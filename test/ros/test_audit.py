"""Audit lines: who asked, printable and bounded, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from rclpy._rclpy_pybind11 import RCLError

from alpamayo_ros.nodes.common import audit
from alpamayo_ros.nodes.common.audit import Audit


class FakeNode:
    """A graph of names, each with the services that it asks for."""

    def __init__(self, **asks: str) -> None:
        self.lines: list[str] = []
        self._asks = asks
        self.publishers: list[str] = []
        self.timers: list[Callable[[], None]] = []

    def get_logger(self) -> SimpleNamespace:
        return SimpleNamespace(info=self.lines.append)

    def create_timer(self, _: float, call: Callable[[], None], clock: object) -> Callable:
        self.timers.append(call)
        return call

    def destroy_timer(self, timer: Callable[[], None]) -> None:
        self.timers.remove(timer)

    def join(self, name: str, asks: str) -> None:
        self._asks[name] = asks

    def resolve_service_name(self, name: str) -> str:
        return name.replace('~', '/alpamayo/trajectory')

    resolve_topic_name = resolve_service_name

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        return [(name, '/') for name in self._asks] + [('gone', '/')]

    def get_client_names_and_types_by_node(self, name: str, namespace: str) -> list[tuple]:
        if name == 'gone':
            raise RCLError('it has left')
        return [(self._asks[name], ['std_srvs/srv/Trigger'])]

    def get_publishers_info_by_topic(self, topic: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(node_namespace='/', node_name=n) for n in self.publishers]


ARM = '/alpamayo/trajectory/arm'


def test_who_has_a_client_of_the_service_is_named() -> None:
    node = FakeNode(operator=ARM, stranger=ARM, viewer='/other')
    Audit(node).asked('arm', 'done, ACTIVE: armed')
    assert node.lines == ['audit: arm by /operator, /stranger: done, ACTIVE: armed']


def test_who_has_left_is_not_made_up() -> None:
    node = FakeNode()
    Audit(node).asked('disarm', 'done')
    for _ in range(audit.LATE_TRIES + 1):
        node.timers[0]()
    assert node.lines == [f'audit: disarm by {audit.UNKNOWN}: done'] and not node.timers


def test_a_name_that_comes_after_its_call_is_written_down() -> None:
    node = FakeNode()
    Audit(node).asked('arm', 'refused')
    node.timers[0]()
    node.join('operator', ARM)
    node.timers[0]()
    assert node.lines[1:] == ['audit: arm was by /operator'] and not node.timers


def test_a_publisher_of_takeover_is_named_and_its_name_is_only_text() -> None:
    node = FakeNode()
    node.publishers = ['wheel', 'x\x1b[31m\ny']
    Audit(node).told('takeover', 'takeover', 'READY')
    assert node.lines == ['audit: takeover by /wheel, /x\\x1b[31m\\ny: READY']


def test_a_publisher_whose_name_is_not_known_yet_is_named_later() -> None:
    node = FakeNode()
    node.publishers = ['_NODE_NAME_UNKNOWN_']  # what the middleware says before it knows
    Audit(node).told('end of takeover', 'takeover', 'READY')
    assert node.lines == [f'audit: end of takeover by {audit.UNKNOWN}: READY']
    node.publishers = ['pedals']
    node.timers[0]()
    assert node.lines[1:] == ['audit: end of takeover was by /pedals']


def test_a_flood_makes_two_lines_a_second_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(audit.time, 'monotonic', lambda: now[0])
    node = FakeNode(**{f'n{i}': ARM for i in range(20)})
    book = Audit(node)
    for i in range(1000):
        now[0] = i * 0.01
        book.asked('arm', 'refused')
    assert 15 <= len(node.lines) <= 21
    assert '(49 more before it)' in node.lines[1] and ' and others' in node.lines[0]
