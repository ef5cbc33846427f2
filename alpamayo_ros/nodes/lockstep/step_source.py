"""Lockstep as the simulator and the replay speak it: what was sent, and when it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from alpamayo_ros.msg import StepDone, Timestep
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.lockstep.lockstep import Lockstep
from alpamayo_ros.nodes.lockstep.step_inputs import NODES, stamp_of, timestep
from alpamayo_ros.nodes.lockstep.step_queue import Announced, Item
from alpamayo_ros.units import NS

T = TypeVar('T')


def listeners(
    named: str, recorded: bool, bagged: bool = False, commanded: bool = False
) -> tuple[str, ...]:
    """Names of nodes that take part in lockstep beside NODES; ``named``: with commas between."""
    own = (('recorder', recorded), ('bag_recorder', bagged), ('controller', commanded))
    known = tuple(name for name, there in own if there)
    return *known, *(name.strip() for name in named.split(',') if name.strip())


class StepSource(Generic[T]):
    """Keeps the order of what is published; ``close`` announces it and opens ``lock``.

    ``told``: how many instructions or commands each node says to have published.
    """

    def __init__(
        self,
        node: Any,
        on_done: Callable[[], None],
        others: Iterable[str] = (),
        plans: bool = True,
    ) -> None:
        """``on_done`` is called whenever a node has taken in the step.

        ``others``: who takes part beside NODES.  ``plans``: a plan and its reference belong to
        the reply.
        """
        self.lock: Lockstep[T] = Lockstep(frozenset((*NODES, *others)), plans)
        self._on_done = on_done
        self._items: list[Item] = []
        self._sequence = 0
        self.end_ns = 0
        self.told: dict[str, int] = {}
        self._out = qos.watched_publisher(node, Timestep, 'timestep', qos.lockstep())
        self._in = qos.watched_subscription(
            node, StepDone, 'step_done', self._take, qos.lockstep()
        )

    def unmatched(self) -> list[str]:
        """Who does not hear or is not heard yet, in words; empty when everybody is here."""
        readers, writers = self._out.get_subscription_count(), self._in.get_publisher_count()
        wanted, out = len(self.lock.nodes), []
        if readers < wanted:
            out.append(f'{readers} of {wanted} nodes read timestep')
        if writers < wanted:
            out.append(f'{writers} of {wanted} nodes write step_done')
        return out

    def publish(self, publisher: Any, message: Any, now_ns: int, stamp_ns: int = -1) -> None:
        """Send a message of this step; ``stamp_ns`` is asked for where ``message`` is bytes."""
        publisher.publish(message)
        found = stamp_of(message) if stamp_ns < 0 else stamp_ns
        self._items.append(Item(publisher.topic_name, found, now_ns))

    def close(self, end_ns: int, t0_ns: int = 0) -> None:
        """Announce the step; ``t0_ns`` is to be answered whatever comes of it (0: nothing)."""
        self._sequence, self.end_ns = self._sequence + 1, end_ns
        items, self._items = tuple(self._items), []
        self.lock.open(self._sequence, time.monotonic())
        self._out.publish(timestep(Announced(self._sequence, end_ns, t0_ns, items)))

    def hang(self, limit_s: float) -> str:
        """What has not come for longer than ``limit_s`` of wall time; '' while all is well."""
        waited_s = self.lock.waited_s(time.monotonic())
        if waited_s <= limit_s:
            return ''
        lack = ', '.join(self.lock.missing())
        return (
            f'no answer for {waited_s:.0f} s to the step ending {self.end_ns / NS:.2f} s: {lack}'
        )

    def _take(self, message: StepDone) -> None:
        self.told[message.node] = message.instructions
        self.lock.on_done(message.step, message.node, [ns(t0) for t0 in message.t0s])
        self._on_done()
