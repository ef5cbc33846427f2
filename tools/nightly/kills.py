"""kill -9 of every node of a running graph, again and again: named, back, nothing left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray
from graph import Graph, Listener
from left_behind import LeftBehind

from alpamayo_ros.faults import Code
from alpamayo_ros.nodes.common.presence import WRITES

MONITOR = 'monitor'  # nobody in the graph watches it: alpamayo up does, and says so in its log
NODES = (*WRITES, MONITOR)
LOST = Code.NODE_LOST.name
NAMED_WITHIN_S, BACK_WITHIN_S = 0.7, 10.0
GIVE_UP_S = 120.0
CALM_S = 1.0  # between a node's return and the next kill: everybody has seen it twice
STEP_S = 0.005


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill; seconds from it until it was named and until all was well, None: never."""

    node: str
    detected_s: float | None
    back_s: float | None

    @property
    def held(self) -> bool:
        """Whether both came in time."""
        named = self.detected_s is not None and self.detected_s <= NAMED_WITHIN_S
        return named and self.back_s is not None and self.back_s <= BACK_WITHIN_S


class Watch(Listener):
    """The graph from outside: the newest status of each node, and who was said to be lost."""

    def __init__(self, context: object, graph: Graph, left: LeftBehind) -> None:
        super().__init__(context)
        self.graph, self.left = graph, left
        self.status: dict[str, str] = {}
        self.named_s: dict[str, float] = {}  # by the machine's clock
        self.reports = 0
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_status, 10)

    def _on_status(self, message: DiagnosticArray) -> None:
        found = {s.name.removeprefix('alpamayo: '): s.message for s in message.status}
        self.status |= found
        self.reports += 1
        for name, text in found.items():
            if text.startswith(LOST):
                self.named_s.setdefault(name, time.monotonic())

    def whole(self) -> bool:
        """Every node is there, and nobody misses one."""
        known = set(WRITES) <= set(self.status) and bool(self.health)
        if not known or any(text.startswith(LOST) for text in self.status.values()):
            return False
        return LOST not in self.health[-1].faults and all(map(self.ends, NODES))

    def ends(self, node: str) -> set[bytes]:
        """Ids of the endpoints with which the node writes its topic."""
        topic = '/diagnostics' if node == MONITOR else f'/alpamayo/{WRITES[node]}'
        written = self.node.get_publishers_info_by_topic(topic)
        return {bytes(w.endpoint_gid) for w in written if w.node_name == node}

    def after(self, begin_s: float, condition: Callable[[], bool]) -> float | None:
        """Seconds from ``begin_s`` until the condition holds; None where it never does."""
        while not condition():
            if time.monotonic() > begin_s + GIVE_UP_S:
                return None
            self.executor.spin_once(timeout_sec=STEP_S)
        return time.monotonic() - begin_s

    def calm(self) -> bool:
        """Wait until all is well and has been so for a while."""
        if self.after(time.monotonic(), self.whole) is None:
            return False
        end_s = time.monotonic() + CALM_S
        self.after(end_s, lambda: time.monotonic() >= end_s)
        return True

    def kill(self, node: str) -> Kill:
        """Kill the process of a node with SIGKILL, and time what follows."""
        (victim,) = self.graph.pids(f'nodes.{node} ')
        self.left.note(self.graph.pids('alpamayo_ros'))
        gone, lines, reports = self.ends(node), len(self.graph.lines), self.reports
        for kept in (self.named_s, self.health, self.plans, self.replies):
            kept.clear()
        if node == MONITOR:  # a new one misses nobody whom it has not seen: wait for all it says
            self.status.clear()
        begin_s = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        if node == MONITOR:
            ended = f'{node} | ended with status -{signal.SIGKILL:d}'
            told = self.after(begin_s, lambda: any(ended in s for s in self.graph.lines[lines:]))
        else:
            self.after(begin_s, lambda: node in self.named_s)
            told = self.named_s[node] - begin_s if node in self.named_s else None
        new = lambda: bool(self.ends(node) - gone) and self.reports > reports  # noqa: E731
        back = self.after(begin_s, lambda: new() and self.whole())
        return Kill(node, told, back)
