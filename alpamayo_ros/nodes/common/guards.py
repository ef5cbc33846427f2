"""Who writes and reads the topics that drive the car: twins and misfits, found on the graph.

What counts is what the middleware knows now, so a fault goes when its cause does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rclpy.qos import QoSCompatibility, qos_check_compatible

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common.processes import Processes
from alpamayo_ros.sensing.rig import Rig, RigCamera

INNER = ('frame_set', 'frame_set_info', 'ego_history', 'nav', 'prompt', 'candidates', 'takeover')
FULL_EVERY = 5  # glances: an endpoint may have been exchanged for another between two of them


class Guards:
    """``faults`` of the last ``look`` at the endpoints of ``topics``, which are full names.

    Endpoints of a process that has ended do not count: its successor is no twin.
    """

    def __init__(self, node: Any, topics: Iterable[str]) -> None:
        self.topics = tuple(sorted(set(topics)))
        self.faults: tuple[Fault, ...] = ()
        self._node = node
        self._processes = Processes()
        self._numbers: list[int] = []
        self._turn = 0

    def glance(self) -> None:
        """``look`` where something was wrong, where numbers of endpoints changed, or at a turn.

        Numbers alone cost an eighth of the endpoints' names, processes and settings.
        """
        count = self._node.count_publishers, self._node.count_subscribers
        numbers = [ask(topic) for ask in count for topic in self.topics]
        self._turn = (self._turn + 1) % FULL_EVERY
        if self.faults or numbers != self._numbers or not self._turn:
            self._numbers = numbers
            self.look()

    def look(self) -> None:
        """Take the endpoints that there are now."""
        self._processes.begin()
        twins, misfits = [], []
        for topic in self.topics:
            written = self._node.get_publishers_info_by_topic(topic)
            writers = [w for w in written if self._processes.lives(w)]
            if len(writers) > 1:
                twins.append(f'{topic} ({", ".join(sorted(map(_name, writers)))})')
            readers = self._node.get_subscriptions_info_by_topic(topic)
            misfits += [f'{topic} ({text})' for text in misfit(writers, readers)]
        self.faults = tuple(
            Fault(code, f'{", ".join(found)}.')
            for code, found in ((Code.DUP_PUBLISHER, twins), (Code.QOS_INCOMPATIBLE, misfits))
            if found
        )

    def crowded(self, topic: str) -> bool:
        """Whether more than one publisher of ``topic`` is known, as quickly as can be asked."""
        return int(self._node.count_publishers(topic)) > 1


def misfit(writers: Iterable[Any], readers: Iterable[Any]) -> list[str]:
    """Who cannot hear whom, and for which policy."""
    heard = list(readers)
    out = []
    for writer in writers:
        for reader in heard:
            fits, reason = qos_check_compatible(writer.qos_profile, reader.qos_profile)
            if fits == QoSCompatibility.ERROR:
                reason = reason.removeprefix('ERROR: ').rstrip(';')
                out.append(f'{_name(writer)} to {_name(reader)}: {reason}')
    return sorted(set(out))


def _name(endpoint: Any) -> str:
    """Name of the node of an endpoint; it comes a little later than the endpoint itself."""
    name = str(endpoint.node_name)
    return 'a node without a name' if name.startswith('_NODE_NAME_UNKNOWN') else name


def inputs(node: Any, rig: Rig, cameras: Sequence[RigCamera], objects: bool) -> list[str]:
    """Full names of what a plan is made from; each of them has one publisher at most."""
    topics = [*INNER, rig.odometry.topic, *(c.topic for c in cameras)]
    topics += [c.info_topic for c in cameras if c.info_topic]
    topics += ['objects'] if objects else []
    topics += ['/clock'] if node.get_parameter('use_sim_time').value else []
    return [node.resolve_topic_name(topic) for topic in topics]
