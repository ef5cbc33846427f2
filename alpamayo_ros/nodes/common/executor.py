"""The executor of a node: one thread that does not wake itself, and looks at QoS events seldom.

rclpy's executors hand all entities of a node to the middleware anew before every wait.  Two things
made that dear.  A guard condition is triggered when a callback begins and when it ends, for the
sake of other threads: with one thread, a wait that returns at once.  And each subscription and
each publisher has events (an incompatible or a new match), most of what is handed over.
"""

from __future__ import annotations

import time
from typing import Any, cast

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import EventHandler
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

EVENTS_S = 0.5  # QoS events are latched by the middleware: a later look sees them


class _Nobody:
    """A guard condition that nobody waits for."""

    def trigger(self) -> None:
        """Wake nobody."""


class NodeExecutor(SingleThreadedExecutor):
    """``SingleThreadedExecutor`` that waits once a callback, for QoS events once in ``EVENTS_S``.

    What other threads and tasks trigger themselves (``wake``, ``create_task``, guard conditions)
    wakes it as ever: only the two triggers of a callback that runs in this very thread are gone.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._now_s = self._looked_s = 0.0
        self._events = True  # whether the coming wait is for them too

    def add_node(self, node: Node) -> bool:
        """Take a node, and a timer that has its events looked at where nothing else wakes it."""
        node.create_timer(EVENTS_S, _nothing, clock=Clock(clock_type=ClockType.STEADY_TIME))
        return bool(super().add_node(node))

    def wait_for_ready_callbacks(self, *args: Any, **more: Any) -> Any:
        """The next callback, as rclpy has it."""
        self._now_s = time.monotonic()
        self._events = self._now_s >= self._looked_s + EVENTS_S
        return super().wait_for_ready_callbacks(*args, **more)

    def can_execute(self, entity: Any) -> bool:
        """Whether the coming wait is for ``entity`` too."""
        if isinstance(entity, EventHandler):
            if not self._events:
                return False
            self._looked_s = self._now_s
        return bool(super().can_execute(entity))

    def _make_handler(self, *args: Any, **more: Any) -> Any:
        guard, self._guard = self._guard, cast(Any, _Nobody())
        try:
            return super()._make_handler(*args, **more)
        finally:
            self._guard = guard


def _nothing() -> None:
    """A timer's callback: waking is all it is for."""
