"""The executor of a node: one thread that does not wake itself, and looks at QoS events seldom.

rclpy's executors hand all entities of a node to the middleware anew before every wait.  Three
things made that dear.  A guard condition is triggered when a callback begins and when it ends, for
the sake of other threads: with one thread, a wait that returns at once.  Each subscription and
each publisher has events (an incompatible or a new match), most of what is handed over.  And what
is handed over is gathered, asked, locked and made a task of one by one, in Python.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, cast

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import EventHandler
from rclpy.executors import (
    ExternalShutdownException,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)
from rclpy.node import Node

from alpamayo_ros.nodes.common.waiting import Waiting

# What rclpy's executor has inside where it hands out what it takes as a coroutine (7.1 and 9.1).
INSIDE = (
    '_take_timer', '_take_subscription', '_take_guard_condition', '_take_client', '_take_service',
    '_wait_for_ready_callbacks', '_make_handler', '_tasks', '_tasks_lock', '_guard', '_sigint_gc',
    '_context', '_is_shutdown',
)  # fmt: skip
EVENTS_S = 0.5  # QoS events are latched by the middleware: a later look sees them


class _Nobody:
    """A guard condition that nobody waits for."""

    def trigger(self) -> None:
        """Wake nobody."""


def knows(executor: SingleThreadedExecutor) -> bool:
    """Whether rclpy's executor is made inside as this module expects it."""
    return all(hasattr(executor, name) for name in INSIDE) and not hasattr(
        executor, '_execute_timer'
    )


class NodeExecutor(SingleThreadedExecutor):
    """``SingleThreadedExecutor`` that waits once a callback, for QoS events once in ``EVENTS_S``.

    What other threads and tasks trigger themselves (``wake``, ``create_task``, guard conditions)
    wakes it as ever: only the two triggers of a callback that runs in this very thread are gone.
    ``spin`` and ``turn`` run plain callbacks without rclpy's tasks, and wake for no message that
    a node only samples (``waiting.sampled``).  An rclpy that is made otherwise inside spins by
    itself.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._now_s = self._looked_s = 0.0
        self._events = True  # whether the coming wait is for them too
        self._waiting = Waiting(self._context)
        self._spins = False
        self._known = knows(self)

    def add_node(self, node: Node) -> bool:
        """Take a node, and a timer that has its events looked at where nothing else wakes it."""
        node.create_timer(EVENTS_S, _nothing, clock=Clock(clock_type=ClockType.STEADY_TIME))
        return bool(super().add_node(node))

    def spin(self) -> None:
        """Run callbacks until shutdown."""
        if not self._known:
            super().spin()
            return
        self._spins = True
        try:
            while not self._over:
                self.turn()
        finally:
            self._spins = False
            self._waiting.clear()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """As rclpy; nothing is held any more, where another thread spins once it has left."""
        done = super().shutdown(timeout_sec)
        if not self._spins:
            self._waiting.clear()
        return bool(done)

    def turn(self, timeout_s: float | None = None) -> None:
        """One wait of at most ``timeout_s`` (None: as long as it takes), and all that it finds.

        It is rclpy's own for QoS events, and while tasks are at work.
        """
        if not self._known:
            self.spin_once(timeout_s)
            return
        with self._tasks_lock:
            self._tasks = [task for task in self._tasks if not task[0].done()]
        guards = [guard for guard in (self._guard, self._sigint_gc) if guard]
        plain = not self._tasks and time.monotonic() < self._looked_s + EVENTS_S
        if plain and self._waiting.gather(self.get_nodes(), guards):
            self._wait(timeout_s)
            return
        self._look()
        with suppress(ShutdownException, TimeoutException):
            for task, _, _ in self._wait_for_ready_callbacks(timeout_s):
                task()
                task.result()
                if self._over:
                    break

    @property
    def _over(self) -> bool:
        """Whether somebody, perhaps the last callback, has ended the executor or its context."""
        return self._is_shutdown or not self._context.ok()

    def _wait(self, timeout_s: float | None) -> None:
        if self._is_shutdown:  # then there may be nothing left to wait for
            return
        self._waiting.wait(timeout_s)
        if not self._context.ok():
            raise ExternalShutdownException
        for entity, node, take in self._waiting.ready():
            self._run(entity, node, getattr(self, take))
            if self._over:
                break

    def _run(self, entity: Any, node: Any, take: Any) -> None:
        if iscoroutinefunction(getattr(entity, 'callback', None)):
            task = self._make_handler(entity, node, take)
            task()
            task.result()
        elif (call := take(entity)) is not None:
            _finish(call())

    def wait_for_ready_callbacks(self, *args: Any, **more: Any) -> Any:
        """The next callback, as rclpy has it."""
        self._look()
        return super().wait_for_ready_callbacks(*args, **more)

    def _look(self) -> None:
        self._now_s = time.monotonic()
        self._events = self._now_s >= self._looked_s + EVENTS_S

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


def _finish(call: Coroutine[Any, Any, None]) -> None:
    """Run what calls a plain function to its end; it has nothing to wait for."""
    with suppress(StopIteration):
        call.send(None)


def _nothing() -> None:
    """A timer's callback: waking is all it is for."""
