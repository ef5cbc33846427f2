"""A listener that lockstep waits for: it misses nothing, however slow the machine is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from graph import NAME, PATIENCE_S, Listener

from alpamayo_ros.msg import StepDone, Timestep
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.lockstep.step_inputs import NODES

WRITERS = {'step_done': len(NODES)}  # of the other topics: 1


class Participant(Listener):
    """Takes part in a graph that was started with ``LISTENED``.

    The world begins when this node writes step_done: once every topic it reads has its writers.
    It goes on when this node has answered: once all that came of the step is here.
    """

    def __init__(
        self, context: object, plans: bool = True, ready: Callable[[], bool] = lambda: True
    ) -> None:
        """Take part in the graph.

        ``plans``: they are published where a controller reads; ``ready``: another condition for
        the start.
        """
        self._awaited: list[tuple[Any, int]] = []
        self._plans, self._ready = plans, ready
        self.pause_s = 0.0  # before each answer: a world that others look at need not hurry
        self._step = self._answered = 0
        self._t0s: dict[int, list[int]] = {}
        self._done: Any = None
        super().__init__(context, lockstep=True)
        self.read(Timestep, 'timestep', self._on_timestep)
        self.read(StepDone, 'step_done', self._on_done)

    def read(self, kind: type, topic: str, take: Callable[[Any], None]) -> None:
        """A topic whose writers are waited for."""
        found = self.node.create_subscription(kind, topic, take, self._profile)
        if topic != 'trajectory' or self._plans:
            self._awaited.append((found, WRITERS.get(topic, 1)))

    def _on_timestep(self, message: Timestep) -> None:
        self._step = message.sequence

    def _on_done(self, message: StepDone) -> None:
        if message.node == 'camera_sync':
            self._t0s[message.step] = [ns(t0) for t0 in message.t0s]

    def work(self) -> None:
        """Join, and answer the step that is whole."""
        if self._done is None:
            if self._ready() and all(s.get_publisher_count() >= n for s, n in self._awaited):
                self._done = self.node.create_publisher(StepDone, 'step_done', qos.lockstep())
        elif self._step > self._answered and self._whole():
            self._answered = self._step
            time.sleep(self.pause_s)
            self._done.publish(StepDone(step=self._step, node=NAME))

    def _whole(self) -> bool:
        t0s = self._t0s.get(self._step)
        return t0s is not None and all(map(self.complete, t0s))

    def complete(self, t0_ns: int) -> bool:
        """Whether all that is said about a timestep is here."""
        replies = any(ns(reply.header.stamp) == t0_ns for reply in self.replies)
        health = next((h for h in self.health if ns(h.t0) == t0_ns), None)
        if health is None or not replies:
            return False
        wanted = health.plan_id if self._plans else 0
        return not wanted or any(plan.plan_id == wanted for plan in self.plans)


@contextmanager
def beside(participant: Participant) -> Iterator[None]:
    """The participant answers in a thread of its own while the test does something else."""
    over = threading.Event()
    thread = threading.Thread(target=participant.until, args=(over.is_set, float('inf')))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE_S)
        participant.close()
