"""The newest messages, bounded in seconds and in bytes, whichever comes first."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.units import NS

OVERHEAD_BYTES = 400  # what Python keeps for an entry beside its data


class Entry(NamedTuple):
    """A serialised message; ``qos``: offered_qos_profiles as rosbag2 writes them, may be ''.

    ``at_ns`` is when it came, by a clock that never steps; ``time_ns`` is that of the graph.
    """

    topic: Topic
    qos: str
    at_ns: int
    time_ns: int
    data: bytes


class Ring:
    """Entries in the order of their arrival; the oldest go.

    Age is counted by ``at_ns``, so that a clock of the graph that steps back, which is an incident
    itself, forgets nothing.  Topics whose name ends in one of ``lasting`` say now and then what
    holds from then on (calibration, route, instruction): the last word of each that is too old is
    kept beside.
    """

    def __init__(self, span_s: float, limit_bytes: int, lasting: tuple[str, ...] = ()) -> None:
        self._span_ns, self._limit = round(span_s * NS), limit_bytes
        self._entries: deque[Entry] = deque()
        self._names, self._lasting = lasting, dict[str, Entry]()
        self.held_bytes = 0
        self.refused = 0

    def add(self, entry: Entry) -> None:
        """Take a message; one that alone is larger than the bound is counted in ``refused``."""
        if _size(entry) > self._limit:
            self.refused += 1
            return
        self._entries.append(entry)
        self.held_bytes += _size(entry)
        self.trim(entry.at_ns)

    def trim(self, at_ns: int) -> None:
        """Let go what is too old at ``at_ns`` or too much."""
        oldest_ns = at_ns - self._span_ns
        while self._entries and (
            self._entries[0].at_ns < oldest_ns or self.held_bytes > self._limit
        ):
            self._let_go(self._entries.popleft())
        while self.held_bytes > self._limit:  # what lasts is too much alone
            name = next(iter(self._lasting))
            self.held_bytes -= _size(self._lasting.pop(name))

    def _let_go(self, entry: Entry) -> None:
        """Forget an entry, or the one in whose place it is kept."""
        name = entry.topic.name
        gone: Entry | None = entry
        if name.endswith(self._names):
            gone = self._lasting.pop(name, None)
            self._lasting[name] = entry
        self.held_bytes -= 0 if gone is None else _size(gone)

    def entries(self) -> list[Entry]:
        """What is held; what lasts comes first, at the time of the oldest that is not too old."""
        first_ns = self._entries[0].time_ns if self._entries else 0
        lasting = self._lasting.values()
        return [*(e._replace(time_ns=first_ns or e.time_ns) for e in lasting), *self._entries]


def _size(entry: Entry) -> int:
    return len(entry.data) + OVERHEAD_BYTES
