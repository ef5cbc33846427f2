"""Lockstep on the side of a node: its inputs, taken step by step in the announced order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from alpamayo_ros.msg import StepDone, Timestep
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns, stamp
from alpamayo_ros.nodes.lockstep.step_queue import Announced, Item, StepQueue

# Each sends one StepDone a step; the recorder, which is not always there, does so too.
NODES = ('camera_sync', 'egomotion', 'navigation', 'trajectory', 'reasoning')


class StepInputs:
    """Subscriptions whose callbacks run when everything of a step is here.

    ``now_ns``: simulated time of what is being taken.  ``step``: the newest step taken in.
    """

    def __init__(
        self,
        node: Any,
        on_step: Callable[[Announced, StepDone], None] = lambda *_: None,
        joins: bool = True,
    ) -> None:
        """``on_step`` is called at the end of each step and may add to its StepDone.

        ``joins``: the source may begin; else it waits for ``join``.
        """
        self._node, self._on_step = node, on_step
        self._queue = StepQueue()
        self._callbacks: dict[str, Callable[[Any], None]] = {}
        self.now_ns = self.step = 0
        self._done: Any = None
        if joins:
            self.join()
        qos.watched_subscription(node, Timestep, 'timestep', self._on_timestep, qos.lockstep())

    @property
    def joined(self) -> bool:
        """Whether the source counts this node."""
        return self._done is not None

    def join(self) -> None:
        """Take part: the source begins once it has met every node that will answer."""
        self._done = qos.watched_publisher(self._node, StepDone, 'step_done', qos.lockstep())

    def subscribe(
        self, kind: type, topic: str, callback: Callable[[Any], None], profile: Any = None
    ) -> None:
        """As ``qos.watched_subscription``; with a ``profile``, others than the source may send."""
        name = self._node.resolve_topic_name(topic)
        self._callbacks[name] = callback
        self._queue.read(name, loose=profile is not None)
        hold = partial(self._on_message, name)
        wanted = profile or qos.lockstep(qos.MANY)
        qos.watched_subscription(self._node, kind, topic, hold, wanted)

    def _on_message(self, topic: str, message: Any) -> None:
        self._queue.message(topic, stamp_of(message), message)
        self._work()

    def _on_timestep(self, message: Timestep) -> None:
        self._queue.announce(announced(message))
        self._work()

    def _work(self) -> None:
        taken = self._queue.take()
        if taken is None:
            return
        step, messages = taken
        for item, message in messages:
            self.now_ns = item.received_ns
            self._callbacks[item.topic](message)
        self.now_ns, self.step = step.end_ns, step.sequence
        done = StepDone(step=step.sequence, node=self._node.get_name())
        done.header.stamp = stamp(step.end_ns)
        self._on_step(step, done)
        self._done.publish(done)


def stamp_of(message: Any) -> int:
    """Header stamp of a message [ns], or its own; 0 where it has none."""
    header = getattr(message, 'header', message)
    return ns(header.stamp) if hasattr(header, 'stamp') else 0


def announced(message: Timestep) -> Announced:
    """A Timestep as a record."""
    rows = zip(message.order, message.stamps, message.received, strict=True)
    items = tuple(Item(message.topics[i], ns(at), ns(arrival)) for i, at, arrival in rows)
    return Announced(message.sequence, ns(message.header.stamp), ns(message.t0), items)


def timestep(step: Announced) -> Timestep:
    """A step as a Timestep."""
    topics = sorted({item.topic for item in step.items})
    index = {topic: i for i, topic in enumerate(topics)}
    message = Timestep(sequence=step.sequence, topics=topics, t0=stamp(step.t0_ns))
    message.header.stamp = stamp(step.end_ns)
    message.order = [index[item.topic] for item in step.items]
    message.stamps = [stamp(item.stamp_ns) for item in step.items]
    message.received = [stamp(item.received_ns) for item in step.items]
    return message
