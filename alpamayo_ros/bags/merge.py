"""The files of one recording as one stream of messages in time order."""

from __future__ import annotations

import heapq
import sqlite3
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alpamayo_ros.bags.folder import open_file
from alpamayo_ros.bags.mcap import Wanted
from alpamayo_ros.bags.mcap_frame import NO_TIME
from alpamayo_ros.bags.parts import Damage, StoredMessage


@dataclass(slots=True)
class Tally:
    """Messages read by topic, wanted or not, and how many of them are under no checksum."""

    counts: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0


def in_order(files: list[Path]) -> list[tuple[int, Path]]:
    """The files by their first message time [ns].

    One without, empty or damaged, keeps its place behind the one before it, with NO_TIME.
    """
    if len(files) == 1:
        return [(0, files[0])]
    rows, place_ns = [], 0
    for file in files:
        first_ns = _first_ns(file)
        place_ns = place_ns if first_ns is None else first_ns
        rows.append((place_ns, NO_TIME if first_ns is None else first_ns, file))
    return [(first_ns, file) for _, first_ns, file in sorted(rows, key=lambda row: row[0])]


def _first_ns(file: Path) -> int | None:
    """Earliest message time of a file; None where it has none or cannot be opened."""
    try:
        storage = open_file(file)
    except (Damage, OSError):  # told when its messages are read
        return None
    try:
        return storage.first_ns()
    except sqlite3.Error:
        return None
    finally:
        storage.close()


def messages(files: list[Path], wanted: Wanted, tally: Tally) -> Iterator[StoredMessage]:
    """Messages of all files in time order; then the first Damage, which names its file.

    Files that do not overlap are read one after the other, each opened when its time comes.  Those
    before a damaged one are read to their end, those behind it are not.
    """
    waiting = deque(enumerate(in_order(files)))
    heap: list[tuple[int, int, StoredMessage, Iterator[StoredMessage]]] = []
    damage: Damage | None = None
    while waiting or heap:
        if waiting and (not heap or waiting[0][1][0] <= heap[0][0]):
            number, (_, file) = waiting.popleft()
            stream = _file(file, wanted, tally)
            if not (waiting or heap):  # the last one, or the only one
                yield from stream
                return
        else:
            _, number, message, stream = heapq.heappop(heap)
            yield message
        try:
            following = next(stream, None)
        except Damage as found:
            damage = found
            waiting.clear()
            heap = [row for row in heap if row[1] < number]
            heapq.heapify(heap)
            continue
        if following is not None:
            heapq.heappush(heap, (following.time_ns, number, following, stream))
    if damage is not None:
        raise damage


def _file(file: Path, wanted: Wanted, tally: Tally) -> Iterator[StoredMessage]:
    """Messages of one file, which is open meanwhile."""
    try:
        storage = open_file(file)
        try:
            yield from storage.messages(wanted)
        finally:
            storage.close()
            tally.unchecked += storage.unchecked
            tally.counts.update(storage.counts())
    except Damage as damage:
        damage.file = damage.file or file.name
        raise
