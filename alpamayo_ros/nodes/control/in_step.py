"""Lockstep on the side of the controller: one command a step, and the step held until all is here.

A step's command is made of the odometry of the step and of references from before; so a step is
taken in once every timestep (t0) that came of it has its Health and, where that names a plan, the
reference.  Then the next step's command depends on nothing that is still on its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from alpamayo_ros.msg import Health, PlannedTrajectory, StepDone, Timestep
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns, stamp
from alpamayo_ros.nodes.lockstep.lockstep import Lockstep
from alpamayo_ros.nodes.lockstep.step_inputs import announced

FORMER = 'camera_sync'  # tells which timesteps came of a step


class InStep:
    """Calls ``command(now_ns)`` once a step and answers it; ``command`` returns how many it sent.

    ``source``: full name of the topic of odometry, whose newest message of the step is awaited and
    is the time of the command.  Health and references count from the next step on, however quick.
    """

    def __init__(self, node: Any, source: str, command: Callable[[int], int]) -> None:
        self._node, self._source, self._command = node, source, command
        self._lock: Lockstep[PlannedTrajectory] = Lockstep(frozenset((FORMER,)))
        self._t0s: dict[int, list[int]] = {}
        self._later: list[Callable[[], None]] = []
        self._step, self._end_ns, self._wanted_ns = 0, 0, 0
        self._odometry_ns = 0
        self._sent: int | None = None
        self._out = qos.watched_publisher(node, StepDone, 'step_done', qos.lockstep())
        profile = qos.lockstep()
        qos.watched_subscription(node, StepDone, 'step_done', self._on_done, profile)
        qos.watched_subscription(node, Timestep, 'timestep', self._on_timestep, profile)

    def on_odometry(self, stamp_ns: int) -> None:
        """The newest odometry, taken by the node already."""
        self._odometry_ns = stamp_ns
        self._work()

    def on_health(self, message: Health, take: Callable[[], None]) -> None:
        """``take`` is called at the end of the step."""
        self._later.append(take)
        self._lock.on_health(ns(message.t0), message.plan_id)
        self._work()

    def on_reference(self, message: PlannedTrajectory, take: Callable[[], None]) -> None:
        """``take`` is called at the end of the step."""
        self._later.append(take)
        self._lock.on_plan(message.plan_id, message)
        self._lock.on_reference(message.plan_id, message)
        self._work()

    def _on_done(self, message: StepDone) -> None:
        if message.node == FORMER:
            self._t0s[message.step] = [ns(t0) for t0 in message.t0s]
            self._work()

    def _on_timestep(self, message: Timestep) -> None:
        step = announced(message)
        stamps = [item.stamp_ns for item in step.items if item.topic == self._source]
        self._step, self._end_ns = step.sequence, step.end_ns
        self._wanted_ns, self._sent = max(stamps, default=0), None
        self._lock.open(step.sequence, time.monotonic())
        self._work()

    def _work(self) -> None:
        if not self._step or self._odometry_ns < self._wanted_ns:
            return
        if self._sent is None:
            self._sent = self._command(self._wanted_ns or self._end_ns)
        if self._step in self._t0s:
            self._lock.on_done(self._step, FORMER, self._t0s.pop(self._step))
        if self._lock.take() is None:
            return
        for take in self._later:
            take()
        self._later.clear()
        done = StepDone(step=self._step, node=self._node.get_name(), instructions=self._sent)
        done.header.stamp = stamp(self._end_ns)
        self._out.publish(done)
