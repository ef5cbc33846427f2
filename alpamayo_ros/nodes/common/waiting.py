"""The wait of the middleware for what the callbacks of nodes hang on, made ready once.

rclpy makes a wait set before every wait, and asks each entity again whether it may run.  In one
thread, where a callback has ended before the next wait, all of them may: what is handed over
changes only when a node makes or destroys something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rclpy.clock import ClockType
from rclpy.event_handler import EventHandler
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation as rclpy_
from rosgraph_msgs.msg import Clock

from alpamayo_ros.units import NS

# Property of a node, method of a wait set, name of what is ready, method of an executor; in the
# order in which rclpy looks at them.
KINDS = (
    ('timers', 'add_timer', 'timer', '_take_timer'),
    ('subscriptions', 'add_subscription', 'subscription', '_take_subscription'),
    ('guards', 'add_guard_condition', 'guard_condition', '_take_guard_condition'),
    ('clients', 'add_client', 'client', '_take_client'),
    ('services', 'add_service', 'service', '_take_service'),
)
PROPERTIES = [kind[0] for kind in KINDS]
TIMERS, SUBSCRIPTIONS, GUARDS = range(3)


class Waiting:
    """Timers, subscriptions, guards, clients and services of nodes, and guards of an executor.

    They are in use until ``clear``: another thread can destroy none of them during a wait.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._known: list[list[Any]] = []
        self._all = True  # whether the nodes have nothing else but QoS events
        self._used: list[Any] = []
        self._ends: list[list[tuple[int, Any, Any]]] = []  # by kind: pointer, entity, node
        self._fill: list[tuple[Any, Any]] = []  # how to add, what
        self._sampled: list[tuple[Any, Any]] = []  # subscription, node
        self._set: Any = None
        self._ready: list[set[int]] = []  # by kind: pointers

    def clear(self) -> None:
        """Let go of everything."""
        self._known, self._ends, self._fill, self._sampled = [], [], [], []
        self._set = None
        while self._used:
            self._used.pop().__exit__(None, None, None)

    def gather(self, nodes: Sequence[Any], guards: Sequence[Any]) -> bool:
        """Take what is to be waited for; whether that is all which the nodes have.

        QoS events are none of it.  Nor is anything taken while another thread destroys some of it.
        """
        known = [list(getattr(node, of)) for node in nodes for of in (*PROPERTIES, 'waitables')]
        known.append(list(guards))
        if known != self._known:
            self.clear()
            try:
                self._prepare(nodes, guards)
            except InvalidHandle:
                self.clear()
                return False
            self._known = known
            waitables = (w for node in nodes for w in node.waitables)
            self._all = all(isinstance(w, EventHandler) for w in waitables)
        return self._all

    def _prepare(self, nodes: Sequence[Any], guards: Sequence[Any]) -> None:
        self._use(self._context.handle)
        self._sampled = [(s, node) for node in nodes for s in sampled(node)]
        left_out = {id(s) for s, _ in self._sampled}
        for of in PROPERTIES:
            entities = [(e, n) for n in nodes for e in getattr(n, of) if id(e) not in left_out]
            self._ends.append([(e.handle.pointer, e, n) for e, n in entities])
        handles = [[e.handle for _, e, _ in ends] for ends in self._ends]
        handles[GUARDS] += [guard.handle for guard in guards]
        timers, subscriptions, conditions, clients, services = map(len, handles)
        counts = (subscriptions, conditions, timers, clients, services, 0)
        self._set = rclpy_.WaitSet(*counts, self._context.handle)
        for (_, add, _, _), of_kind in zip(KINDS, handles, strict=True):
            for handle in of_kind:
                self._use(handle)
                self._fill.append((getattr(self._set, add), handle))

    def _use(self, handle: Any) -> None:
        handle.__enter__()
        self._used.append(handle)

    def wait(self, timeout_s: float | None = None) -> None:
        """Until something is ready, a guard of the executor rings or the time is over."""
        for _, guard, _ in self._ends[GUARDS]:
            if guard._executor_triggered:  # rang, and nobody was there to hear it
                guard.trigger()
        self._set.clear_entities()
        for add, handle in self._fill:
            add(handle)
        self._set.wait(-1 if timeout_s is None else round(timeout_s * NS))
        self._ready = [set(self._set.get_ready_entities(name)) for _, _, name, _ in KINDS]
        for pointer, guard, _ in self._ends[GUARDS]:
            if pointer in self._ready[GUARDS]:
                guard._executor_triggered = True  # the middleware has taken the ring

    def ready(self) -> Iterator[tuple[Any, Any, str]]:
        """What is ready, its node, and how an executor takes it.

        What a callback destroys meanwhile is not ready any more.
        """
        if any(self._ready):
            for entity, node in self._sampled:
                yield entity, node, KINDS[SUBSCRIPTIONS][3]
        for kind, (of, _, _, take) in enumerate(KINDS):
            for pointer, entity, node in self._ends[kind] if self._ready[kind] else ():
                if pointer in self._ready[kind] and entity in getattr(node, of):
                    if kind != TIMERS or entity.handle.is_timer_ready():
                        yield entity, node, take


def sampled(node: Any) -> list[Any]:
    """Subscriptions of ``node`` that wake nobody, and are read first when something else does.

    Those that it names itself (``sampled``: only the newest message counts, and only with
    something else), and a clock that none of its timers follows.
    """
    out = list(getattr(node, 'sampled', ()))
    if not any(timer.clock.clock_type is ClockType.ROS_TIME for timer in node.timers):
        out += [s for s in node.subscriptions if s.msg_type is Clock]
    return out
