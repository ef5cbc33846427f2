"""How a recording enters the graph: after the wall clock, or step by step as it is answered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from rosgraph_msgs.msg import Clock

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns, stamp
from alpamayo_ros.nodes.lockstep.step_source import StepSource
from alpamayo_ros.nodes.messages.recorded import RecordedTopics
from alpamayo_ros.replay.steps import cut
from alpamayo_ros.units import NS

LEAD_S = 1.0  # wall time of clock alone: images that overtake it would come from the future


class Player:
    """What both ways share: the clock, the span that was played, the limit."""

    def __init__(
        self, node: Any, topics: RecordedTopics, messages: Iterable[BagMessage], limit_s: float
    ) -> None:
        """``limit_s``: only so much of the recording; 0: all."""
        self._topics, self._limit_ns = topics, round(limit_s * NS)
        self._clock = node.create_publisher(Clock, '/clock', 10)
        self._source = self._limited(messages)
        self.over = False
        self.problem = ''
        self.begin_ns = self.end_ns = self.played = self.timesteps = 0

    def unmatched(self) -> list[str]:
        """Who does not take part yet, in words."""
        return []

    def _limited(self, messages: Iterable[BagMessage]) -> Iterator[BagMessage]:
        for item in messages:
            self.begin_ns = self.begin_ns or item.time_ns
            if self._limit_ns and item.time_ns - self.begin_ns > self._limit_ns:
                return
            self.end_ns = max(self.end_ns, item.time_ns)
            yield item

    def _tick(self, now_ns: int) -> None:
        self._clock.publish(Clock(clock=stamp(max(now_ns, 0))))


class FreePlayer(Player):
    """Messages leave when the clock of the recording, at ``rate`` times wall time, is there."""

    def __init__(self, *args: Any, rate: float, tail_s: float) -> None:
        """``tail_s``: how long the clock goes on after the last message."""
        super().__init__(*args)
        self._rate, self._tail_ns = rate, round(tail_s * NS)
        self._next = next(self._source, None)
        self._started_s = 0.0

    def start(self) -> None:
        """The clock begins to run."""
        self._started_s = time.monotonic()

    def work(self) -> None:
        """Called often: what is due."""
        elapsed_s = time.monotonic() - self._started_s - LEAD_S
        now_ns = self.begin_ns + round(elapsed_s * self._rate * NS)
        self._tick(now_ns)
        while self._next is not None and self._next.time_ns <= now_ns:
            if self._next.topic in self._topics.outputs:
                self._topics.outputs[self._next.topic].publish(self._next.message)
                self.played += 1
            self._next = next(self._source, None)
        self.over = self._next is None and now_ns > self.end_ns + self._tail_ns


class StepPlayer(Player):
    """Lockstep: a step, its answers, the next step.  ``timesteps``: how many were answered."""

    def __init__(
        self,
        node: Any,
        topics: RecordedTopics,
        messages: Iterable[BagMessage],
        limit_s: float,
        reference: str,
        listeners: Iterable[str],
        guard_s: float,
        tail_s: float,
    ) -> None:
        """``reference``: the camera whose images end the steps; ``listeners``: who takes part.

        ``guard_s``, ``tail_s``: wall time for a step, and for what is under way at the end.
        """
        super().__init__(node, topics, messages, limit_s)
        self._guard_s, self._tail_s = guard_s, tail_s
        self._beside: deque[BagMessage] = deque()
        self._steps = cut(self._of_use(), lambda m: self._camera(m) == reference)
        self._world: StepSource[None] = StepSource(node, self._answered, listeners, plans=False)
        self._health = qos.watched_subscription(
            node, Health, 'health', self._on_health, qos.lockstep()
        )
        self._ended_s: float | None = None

    def unmatched(self) -> list[str]:
        """Who does not hear or is not heard yet, in words."""
        lacks = [] if self._health.get_publisher_count() else ['nobody writes health']
        return [*self._world.unmatched(), *lacks]

    def start(self) -> None:
        """The first step."""
        self._go_on()

    def work(self) -> None:
        """Called often: whether it hangs, or is over."""
        if self._ended_s is None:
            self.problem = self._world.hang(self._guard_s)
        else:
            self.over = time.monotonic() - self._ended_s > self._tail_s

    def _of_use(self) -> Iterator[BagMessage]:
        """The messages that the steps are about; the others are played beside them."""
        for item in self._source:
            if item.topic in self._topics.sources:
                yield item
            elif item.topic in self._topics.outputs:
                self._beside.append(item)

    def _camera(self, item: BagMessage) -> str:
        source = self._topics.sources[item.topic]
        return source.camera if source.role == 'image' else ''

    def _go_on(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._ended_s = time.monotonic()
            return
        self._tick(step.end_ns)
        while self._beside and self._beside[0].time_ns <= step.end_ns:
            item = self._beside.popleft()
            self._topics.outputs[item.topic].publish(item.message)
            self.played += 1
        for item in step.messages:
            if item.topic in self._topics.outputs:
                publisher, stamp_ns = self._topics.outputs[item.topic], self._topics.stamp_ns(item)
                self._world.publish(publisher, item.message, item.time_ns, stamp_ns)
                self.played += 1
        self._world.close(step.end_ns)

    def _on_health(self, message: Health) -> None:
        self._world.lock.on_health(ns(message.t0), message.plan_id)
        self._answered()

    def _answered(self) -> None:
        replies = self._world.lock.take()
        if replies is not None:
            self.timesteps += len(replies)
            self._go_on()
