"""What a bag says of itself, without reading its messages: types, counts, span, origin."""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from alpamayo_ros.bags.bag import ABOUT, BagReader
from alpamayo_ros.bags.folder import open_file, open_recording
from alpamayo_ros.bags.mcap import McapFile
from alpamayo_ros.bags.parts import Damage


@dataclass(slots=True)
class Outline:
    """What is in a bag.

    ``types`` and ``counts`` by topic, first and last time [ns]; ``whole`` False: the table of
    contents is damaged or missing, and what can be read was counted.  ``about``: what the writer
    noted (``origin`` is recorded, converted or simulator), empty for foreign bags.
    """

    types: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    start_ns: int = 0
    end_ns: int = 0
    whole: bool = True
    about: dict[str, str] = field(default_factory=dict)

    @property
    def span_s(self) -> float:
        """From the first to the last message."""
        return (self.end_ns - self.start_ns) / 1e9


def outline(path: Path) -> Outline:
    """The table of contents of a bag; FileNotFoundError where there is none."""
    out = Outline()
    try:
        with open_recording(path) as recording:
            for file in recording.files:
                storage = open_file(file)
                try:
                    for name, kind, count in storage.contents():
                        out.types[name] = kind
                        out.counts[name] += count
                    start, end = storage.span()
                    out.start_ns = min(out.start_ns or start, start)
                    out.end_ns = max(out.end_ns, end)
                    if isinstance(storage, McapFile):
                        out.about.update(storage.notes(ABOUT))
                finally:
                    storage.close()
            out.whole = recording.wrong is None
    except (Damage, ValueError, sqlite3.Error, struct.error):
        return _counted(path)
    return out


def about(path: Path) -> dict[str, str]:
    """Where a bag comes from, as its writer noted it; empty for foreign or damaged bags."""
    return outline(path).about


def _counted(path: Path) -> Outline:
    out = Outline(whole=False)
    for message in BagReader(path, raw=True):
        out.types[message.topic] = message.type
        out.counts[message.topic] += 1
        out.start_ns = out.start_ns or message.time_ns
        out.end_ns = message.time_ns
    return out
