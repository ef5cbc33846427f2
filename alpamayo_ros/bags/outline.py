"""What a bag says of itself, without decoding its messages: types, counts, times, origin."""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.bag import ABOUT, BagReader
from alpamayo_ros.bags.folder import open_file, open_recording
from alpamayo_ros.bags.mcap import McapFile
from alpamayo_ros.bags.parts import Damage

STRAY_S = 3600.0  # a single message so far from all others was stamped by another clock
Times = Float[np.ndarray, 'N']


@dataclass(slots=True)
class Outline:
    """What is in a bag.

    ``types`` and ``counts`` by topic; ``times_s``: of each topic's messages, ascending; ``whole``
    False: the table of contents is damaged or missing, and what can be read was counted.
    ``about``: what the writer noted (``origin`` is recorded, converted or simulator), empty for
    foreign bags.
    """

    types: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    times_s: dict[str, Times] = field(default_factory=dict)
    whole: bool = True
    about: dict[str, str] = field(default_factory=dict)

    @property
    def bounds_s(self) -> tuple[float, float]:
        """First and last time of the topics with more than one message, or else of all."""
        times = [t for t in self.times_s.values() if len(t)]
        times = [t for t in times if len(t) > 1] or times
        return min((t[0] for t in times), default=0.0), max((t[-1] for t in times), default=0.0)

    @property
    def span_s(self) -> float:
        """From the first to the last message; a single stray one does not count."""
        first_s, last_s = self.bounds_s
        return float(last_s - first_s)

    def rate_hz(self, topic: str) -> float:
        """One over the median of a topic's own intervals; 0 with fewer than two messages."""
        intervals_s = np.diff(self.times_s.get(topic, np.empty(0)))
        intervals_s = intervals_s[intervals_s > 0]
        return float(1.0 / np.median(intervals_s)) if len(intervals_s) else 0.0

    def strays(self) -> list[str]:
        """Sentences, each on a topic whose only message lies far from all others."""
        first_s, last_s = self.bounds_s
        out = []
        for topic, times in sorted(self.times_s.items()):
            away_s = max(first_s - times[0], times[0] - last_s) if len(times) == 1 else 0.0
            if away_s > STRAY_S:
                out.append(f'{topic} at {times[0]:.3f} s: {away_s:.0f} s from all others')
        return out


def outline(path: Path) -> Outline:
    """The table of contents of a bag; FileNotFoundError where there is none."""
    out = Outline()
    times: dict[str, list[int]] = defaultdict(list)
    try:
        with open_recording(path) as recording:
            for file in recording.files:
                _file(file, out, times)
            out.whole = recording.wrong is None
    except (Damage, ValueError, sqlite3.Error, struct.error):
        return _counted(path)
    out.times_s = _seconds(times)
    return out


def _file(file: Path, out: Outline, times: dict[str, list[int]]) -> None:
    storage = open_file(file)
    try:
        for name, kind, count in storage.contents():
            out.types[name] = kind
            out.counts[name] += count
        for name, found in storage.times().items():
            times[name] += found
        if isinstance(storage, McapFile):
            out.about.update(storage.notes(ABOUT))
    finally:
        storage.close()


def about(path: Path) -> dict[str, str]:
    """Where a bag comes from, as its writer noted it; empty for foreign or damaged bags."""
    return outline(path).about


def _counted(path: Path) -> Outline:
    out = Outline(whole=False)
    times: dict[str, list[int]] = defaultdict(list)
    for message in BagReader(path, raw=True):
        out.types[message.topic] = message.type
        out.counts[message.topic] += 1
        times[message.topic].append(message.time_ns)
    out.times_s = _seconds(times)
    return out


def _seconds(times_ns: Mapping[str, Sequence[int]]) -> dict[str, Times]:
    return {topic: np.sort(np.array(found, float)) / 1e9 for topic, found in times_ns.items()}
