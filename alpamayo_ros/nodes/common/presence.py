"""Which nodes of the graph have ended: their topics had a living writer and have none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common.processes import Processes

DRIVERS = ('camera_sync', 'egomotion', 'navigation', 'planner')  # without them no good plan comes
WRITES = {  # node: a topic that it alone writes
    'camera_sync': 'frame_set_info',
    'egomotion': 'ego_history',
    'navigation': 'nav',
    'planner': 'candidates',
    'trajectory': 'health',
    'reasoning': 'reasoning',
}
LOOK_S = 0.25  # how often they are looked for
LOOKS = 2  # in a row: a graph that is being ended has lost some of its nodes for a moment


class Presence:
    """``lost``: nodes that were there and have ended, ``there``: who is, at the last ``look``."""

    def __init__(self, node: Any, names: Iterable[str]) -> None:
        self.lost: tuple[str, ...] = ()
        self.there: tuple[str, ...] = ()
        self._node = node
        self._topics = {name: node.resolve_topic_name(WRITES[name]) for name in names}
        self._missed: dict[str, int] = {}  # looks without a writer since there was one
        self._processes = Processes()

    def look(self) -> None:
        """Take the endpoints that there are now."""
        self._processes.begin()
        for name, topic in self._topics.items():
            written = self._node.get_publishers_info_by_topic(topic)
            if any([self._processes.lives(writer) for writer in written]):
                self._missed[name] = 0
            elif name in self._missed:
                self._missed[name] += 1
        self.lost = tuple(name for name, missed in self._missed.items() if missed >= LOOKS)
        self.there = tuple(name for name, missed in self._missed.items() if not missed)

    @property
    def fault(self) -> Fault | None:
        """NODE_LOST with the names."""
        return Fault(Code.NODE_LOST, f'{", ".join(self.lost)}.') if self.lost else None
