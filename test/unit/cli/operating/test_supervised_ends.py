"""What ``alpamayo up`` makes of a node that has ended."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from alpamayo_ros.cli.operating.supervisor import Supervisor
from alpamayo_ros.graph_spec import Graph, NodeSpec
from alpamayo_ros.statuses import Status


class Heard:
    """Lines and restarts that a person is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.restarted: list[str] = []

    def line(self, node: str, text: str) -> None:
        self.lines.append(text)

    def ended(self, node: str, status: int, restarts: int) -> None:
        self.restarted.append(node)


def ended(status: int, meant: str | None, **spec: bool) -> tuple[int | None, Heard]:
    """The status of a graph whose planner ended so, having meant to end with ``meant``."""
    heard: Any = Heard()
    supervisor = Supervisor(Graph('g', (NodeSpec('planner', **spec),), (), ()), heard)
    (process,) = supervisor.processes
    process.popen = SimpleNamespace(poll=lambda: status, wait=lambda seconds: status)  # type: ignore[assignment]
    if meant is not None:
        supervisor._last(process).write_text(meant)
    found = supervisor._poll()
    supervisor.stop()
    return found, heard


@pytest.mark.parametrize('meant', ['0', '2', '6'])
def test_a_hang_at_the_end_does_not_change_the_status(meant: str) -> None:
    """SIGALRM ends such a node (nodes.common.node.end_in_time); it is said, as a warning."""
    found, heard = ended(-signal.SIGALRM, meant, ends_graph=True)
    assert found == int(meant)
    assert heard.lines == [f'WARN: planner hung while it was taken down; its status is {meant}']


def test_a_refusal_that_hung_is_not_started_again() -> None:
    """As any other refusal: it would refuse again."""
    found, heard = ended(-signal.SIGALRM, '2')
    assert found == Status.USAGE and heard.restarted == []


@pytest.mark.parametrize('meant', [None, '', 'x'])
def test_a_status_that_nobody_wrote_is_the_machines(meant: str | None) -> None:
    found, _ = ended(-signal.SIGALRM, meant, ends_graph=True)
    assert found == Status.ENVIRONMENT


def test_other_ends_are_what_they_were() -> None:
    """Killed: started again, without a word of its own."""
    found, heard = ended(-signal.SIGKILL, '0')
    assert found is None and heard.restarted == ['planner'] and heard.lines == []
    assert ended(0, '6', ends_graph=True)[0] == 0


@pytest.mark.parametrize(('number', 'name'), [(11, 'SIGSEGV'), (40, 'signal 40')])
def test_a_node_whose_death_ends_the_graph_is_named(number: int, name: str) -> None:
    """Also by a signal that has no name."""
    found, heard = ended(-number, '0', ends_graph=True)
    assert found == 128 + number
    text = f'ERROR: planner was killed by {name}, which ends the graph with status {found}'
    assert heard.lines == [text]


@pytest.mark.parametrize('status', [Status.USAGE, Status.DAMAGED])
def test_a_refusal_ends_the_graph(status: Status) -> None:
    """Of what was typed, or of a damaged model: it would refuse again."""
    found, heard = ended(int(status), None)
    assert found == status and heard.restarted == []
