"""The messages of announced steps, handed out in the announced order once all are here.  Pure.

Topics overtake one another on their way; the announcement says in which order a step's messages
are to be taken.  A message is known by its topic and stamp; equal ones count.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import Any

Key = tuple[str, int]  # topic, stamp_ns


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a step; ``received_ns``: simulated time at which it arrives."""

    topic: str
    stamp_ns: int
    received_ns: int

    @property
    def key(self) -> Key:
        """By what it is known."""
        return self.topic, self.stamp_ns


@dataclass(frozen=True, slots=True)
class Announced:
    """A step: what was sent, and the simulated time at its end.

    ``t0_ns``: an instant that is answered even where no frame set is formed; 0: none is.
    """

    sequence: int
    end_ns: int
    t0_ns: int
    items: tuple[Item, ...]


class StepQueue:
    """What a node holds until a step is whole.  Only topics that it reads count.

    The source sends a step after every node has taken in the one before, so an older step that is
    not whole when the next is announced was taken in by an earlier life of this node.
    """

    def __init__(self) -> None:
        """No topic is read yet."""
        self._loose: dict[str, bool] = {}
        self._here: defaultdict[Key, deque[Any]] = defaultdict(deque)
        self._seen: set[Key] = set()
        self._step: Announced | None = None
        self.taken = 0

    def read(self, topic: str, loose: bool = False) -> None:
        """Messages of ``topic`` are taken; ``loose``: also those that no step announces."""
        self._loose[topic] = loose

    def message(self, topic: str, stamp_ns: int, message: Any) -> None:
        """Hold a message until its step is whole."""
        self._here[topic, stamp_ns].append(message)

    def announce(self, step: Announced) -> None:
        """The step that is under way; one that was taken already is ignored."""
        if step.sequence > self.taken or step.sequence == 1:
            self._step = step

    def take(self) -> tuple[Announced, list[tuple[Item, Any]]] | None:
        """The step with its messages in order, once they are all here."""
        step = self._step
        if step is None:
            return None
        items = [item for item in step.items if item.topic in self._loose]
        wanted = Counter(item.key for item in items)
        if any(len(self._here.get(key, ())) < count for key, count in wanted.items()):
            return None
        out = [(item, self._here[item.key].popleft()) for item in items]
        self._step, self.taken = None, step.sequence
        return step, [*out, *self._strays(step.end_ns)]

    def _strays(self, end_ns: int) -> list[tuple[Item, Any]]:
        """Unannounced messages of loose topics; others are forgotten when met a second time."""
        out: list[tuple[Item, Any]] = []
        for (topic, stamp_ns), messages in list(self._here.items()):
            if self._loose.get(topic, False):
                out += [(Item(topic, stamp_ns, end_ns), message) for message in messages]
            if not messages or self._loose.get(topic, False) or (topic, stamp_ns) in self._seen:
                del self._here[topic, stamp_ns]
        self._seen = set(self._here)
        return out
