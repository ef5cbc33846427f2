"""Audit lines: who asked for what on the graph, and what came of it.

A service call carries no sender, so the nodes that have a client of the service are named; on an
open graph a name is only what a process calls itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy._rclpy_pybind11 import RCLError
from rclpy.clock import Clock, ClockType

UNKNOWN = 'a node that has left or is not known yet'
LATE_S, LATE_TRIES = 0.25, 40  # a name is waited for, after its call
HOLD_S = 0.5  # a flood of calls makes two lines a second, each with the number left out
SHOWN = 5


class Audit:
    """Writes one line an attempt into the node's log."""

    def __init__(self, node: Any) -> None:
        """``node``: whose services and topics are watched."""
        self._node = node
        self._last_s: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def asked(self, verb: str, outcome: str) -> None:
        """Somebody called the node's own service ``~/verb``."""
        service = self._node.resolve_service_name(f'~/{verb}')
        self._write(verb, lambda: askers(self._node, service), outcome)

    def told(self, what: str, topic: str, outcome: str) -> None:
        """Somebody published ``what`` on ``topic``."""
        self._write(what, lambda: writers(self._node, topic), outcome)

    def _write(self, what: str, who: Callable[[], str], outcome: str) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s.get(what, -HOLD_S) < HOLD_S:
            self._left_out[what] = self._left_out.get(what, 0) + 1
            return
        self._last_s[what] = now_s
        more = self._left_out.pop(what, 0)
        also = f' ({more} more before it)' if more else ''
        names = who()
        self._node.get_logger().info(f'audit: {what} by {names}: {outcome}{also}')
        if names == UNKNOWN:
            self._name_later(what, who)

    def _name_later(self, what: str, who: Callable[[], str]) -> None:
        """The name alone, as soon as the graph knows it."""
        tries = iter(range(LATE_TRIES))

        def look() -> None:
            names, last = who(), next(tries, None) is None
            if names != UNKNOWN:
                self._node.get_logger().info(f'audit: {what} was by {names}')
            if names != UNKNOWN or last:
                self._node.destroy_timer(timer)

        steady = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self._node.create_timer(LATE_S, look, clock=steady)


def askers(node: Any, *services: str) -> str:
    """Names of the nodes that have a client of one of the services."""
    found = []
    for name, namespace in node.get_node_names_and_namespaces():
        try:
            clients = node.get_client_names_and_types_by_node(name, namespace)
        except RCLError:
            continue  # it has left since
        if any(service in services for service, _ in clients):
            found.append(f'{namespace.rstrip("/")}/{name}')
    return _named(found)


def writers(node: Any, topic: str) -> str:
    """Names of the nodes that publish a topic."""
    ends = node.get_publishers_info_by_topic(node.resolve_topic_name(topic))
    return _named(list(map(_owner, ends)))


def _owner(end: Any) -> str:
    """The node of an endpoint, which becomes known before its node's name does."""
    if end.node_name.startswith('_NODE_NAME_UNKNOWN'):
        return UNKNOWN
    return f'{end.node_namespace.rstrip("/")}/{end.node_name}'


def _named(found: list[str]) -> str:
    """At most ``SHOWN`` names, printable."""
    names = sorted(set(found))
    shown = ', '.join(ascii(name)[1:-1] for name in names[:SHOWN])
    return (f'{shown} and others' if len(names) > SHOWN else shown) or UNKNOWN
