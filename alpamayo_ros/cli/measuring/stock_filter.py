"""The approximate-time filter that ROS ships, to compare with: its rule, without ROS.

``message_filters.ApproximateTimeSynchronizer`` (Python) keeps the newest messages of each topic
and, with every message that comes, looks for a combination of one message a topic around it, all
within ``slop``; the first found, closest stamps first, is a set and leaves the queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product


class StockFilter:
    """Sets of stamps [ns], one a topic, all within ``slop_ns`` of each other."""

    def __init__(self, topics: Sequence[str], queue: int, slop_ns: int) -> None:
        self._queues: dict[str, list[int]] = {topic: [] for topic in topics}
        self._queue, self._slop_ns = queue, slop_ns

    def push(self, topic: str, stamp_ns: int) -> tuple[int, ...] | None:
        """Take one message; the set that it completes, in the order of the topics."""
        mine = self._queues[topic]
        mine.append(stamp_ns)
        mine.sort()
        del mine[: -self._queue]
        near = [self._near(name, topic, stamp_ns) for name in self._queues]
        for stamps in product(*near):
            if max(stamps) - min(stamps) < self._slop_ns:
                for queue, used in zip(self._queues.values(), stamps, strict=True):
                    queue.remove(used)
                return stamps
        return None

    def _near(self, name: str, topic: str, stamp_ns: int) -> list[int]:
        """Stamps of a topic within the slop of the one that came, the closest first."""
        if name == topic:
            return [stamp_ns] if stamp_ns in self._queues[name] else []
        found = [s for s in self._queues[name] if abs(s - stamp_ns) <= self._slop_ns]
        return sorted(found, key=lambda s: abs(s - stamp_ns))
