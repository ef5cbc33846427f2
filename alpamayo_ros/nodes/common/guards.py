"""Who writes and reads the topics that drive the car: twins and misfits, found on the graph.

What counts is what the middleware knows now, so a fault goes when its cause does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rclpy.qos import QoSCompatibility, qos_check_compatible

from alpamayo_ros.faults import Code, Fault

FAST_DDS = (
    b'\x01\x0f'  # vendor id at the start of its endpoint ids; bytes 4 and 5 hold the process
)


class Guards:
    """``faults`` of the last ``look`` at the endpoints of ``topics``, which are full names.

    Fast DDS lists the endpoints of a killed process for 20 s more.  One that ran on this machine
    when it was first seen, and runs no more, does not count: its successor is no twin.
    """

    def __init__(self, node: Any, topics: Iterable[str]) -> None:
        self.topics = tuple(sorted(set(topics)))
        self.faults: tuple[Fault, ...] = ()
        self._node = node
        self._here: dict[bytes, bool] = {}

    def look(self) -> None:
        """Take the endpoints that there are now."""
        running = _processes()
        twins, misfits = [], []
        seen: dict[bytes, bool] = {}
        for topic in self.topics:
            written = self._node.get_publishers_info_by_topic(topic)
            writers = [w for w in written if self._lives(w, running, seen)]
            if len(writers) > 1:
                twins.append(f'{topic} ({", ".join(sorted(map(_name, writers)))})')
            readers = self._node.get_subscriptions_info_by_topic(topic)
            misfits += [f'{topic} ({text})' for text in misfit(writers, readers)]
        self._here = seen
        self.faults = tuple(
            Fault(code, f'{", ".join(found)}.')
            for code, found in ((Code.DUP_PUBLISHER, twins), (Code.QOS_INCOMPATIBLE, misfits))
            if found
        )

    def crowded(self, topic: str) -> bool:
        """Whether more than one publisher of ``topic`` is known, as quickly as can be asked."""
        return int(self._node.count_publishers(topic)) > 1

    def _lives(
        self, writer: Any, running: Callable[[], set[int]], seen: dict[bytes, bool]
    ) -> bool:
        """False for an endpoint whose process was seen to run here and has ended."""
        gid = bytes(writer.endpoint_gid)
        if gid[:2] != FAST_DDS:
            return True
        runs = int.from_bytes(gid[4:6], 'little') in running()
        seen[gid] = self._here.get(gid, runs)
        return runs or not seen[gid]


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


def _processes() -> Callable[[], set[int]]:
    """The low 16 bits of every process id of this machine, read when first asked for."""
    found: set[int] = set()

    def running() -> set[int]:
        if not found:
            entries = (p.name for p in Path('/proc').iterdir())
            found.update(int(name) & 0xFFFF for name in entries if name.isdigit())
        return found

    return running
