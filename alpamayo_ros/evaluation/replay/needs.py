"""What a recording lacks for a profile, said before any work is done."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from alpamayo_ros.evaluation.bag import NS, BagReader
from alpamayo_ros.evaluation.bag_folder import open_recording
from alpamayo_ros.evaluation.bag_mcap import McapFile
from alpamayo_ros.evaluation.bag_parts import Damage
from alpamayo_ros.evaluation.replay.topics import COMPRESSED, Source, image_names
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.sensing.ring import JITTER_NS, FrameRing

Contents = tuple[dict[str, str], dict[str, int], tuple[int, int]]
ODOMETRY_HZ = 5.0  # FAULTS.md section 1: a gap of 0.2 s is too long


@dataclass(frozen=True, slots=True)
class Survey:
    """What a bag says of itself: message type and count by topic, and its span [s].

    ``fault``: BAG_BROKEN where it had to be read to know, and is damaged.
    """

    types: Mapping[str, str]
    counts: Mapping[str, int]
    duration_s: float
    fault: Fault | None = None

    def rate_hz(self, topic: str) -> float:
        """Mean rate of a topic; 0 with fewer than two messages."""
        count = self.counts.get(topic, 0)
        return (count - 1) / self.duration_s if count > 1 and self.duration_s > 0 else 0.0


def survey(path: Path) -> Survey:
    """From the table of contents of the files; by reading all where one has none."""
    types: dict[str, str] = {}
    counts: Counter[str] = Counter()
    begins, ends = [], []
    try:
        with open_recording(path) as recording:
            if recording.wrong is not None:
                return _read(path)
            for name in recording.files:
                found = _sqlite(name) if name.suffix == '.db3' else _mcap(name)
                if found is None:
                    return _read(path)
                kinds, messages, span = found
                types.update(kinds)
                counts.update(messages)
                begins.append(span[0])
                ends.append(span[1])
    except (Damage, OSError, sqlite3.Error) as error:
        if isinstance(error, FileNotFoundError):
            raise
        return _read(path)
    return Survey(types, counts, (max(ends) - min(begins)) / NS if ends else 0.0)


def _mcap(path: Path) -> Contents | None:
    """Types, counts and span of a file with a summary; None without one."""
    storage = McapFile(path)
    try:
        tail = storage.tail
        if tail is None or tail.counts is None or not tail.chunks:
            return None
        types = {topic.name: topic.type for topic in storage.topics}
        counts = {c.topic: tail.counts.get(c.id, 0) for c in tail.channels.values()}
        chunks = tail.chunks.values()
        return types, counts, (min(c.start_ns for c in chunks), max(c.end_ns for c in chunks))
    finally:
        storage.close()


def _sqlite(path: Path) -> Contents | None:
    """Types, counts and span of a database; None where it holds no message."""
    uri = f'file:{quote(str(path.absolute()))}?mode=ro&immutable=1'
    with closing(sqlite3.connect(uri, uri=True)) as db:
        rows = db.execute(
            'SELECT topics.name, topics.type, COUNT(*), MIN(timestamp), MAX(timestamp) '
            'FROM messages JOIN topics ON topics.id = topic_id GROUP BY topics.id'
        ).fetchall()
    if not rows:
        return None
    types = {str(row[0]): str(row[1]) for row in rows}
    counts = {str(row[0]): int(row[2]) for row in rows}
    return types, counts, (min(int(r[3]) for r in rows), max(int(r[4]) for r in rows))


def _read(path: Path) -> Survey:
    """Everything that can be read, counted."""
    reader = BagReader(path, raw=True)
    types: dict[str, str] = {}
    counts: Counter[str] = Counter()
    first = last = None
    for item in reader:
        types[item.topic] = item.type
        counts[item.topic] += 1
        first, last = item.time_ns if first is None else first, item.time_ns
    span_s = 0.0 if first is None or last is None else (last - first) / NS
    return Survey(types, counts, span_s, reader.fault)


def lacks(
    found: Survey, sources: Mapping[str, Source], rig: Rig, profile: ModelProfile
) -> list[str]:
    """Sentences, each naming one thing that is missing and what to type; empty when none is."""
    topics = {source: topic for topic, source in sources.items()}
    out = _cameras(topics, rig, profile)
    odometry = topics.get(Source('odometry'))
    if odometry is None:
        out.append(
            f'odometry: no nav_msgs/Odometry on {rig.odometry.topic}; name it with '
            f'--map RECORDED:={rig.odometry.topic}'
        )
    elif found.rate_hz(odometry) < ODOMETRY_HZ:
        out.append(
            f'odometry: {found.rate_hz(odometry):.1f} Hz on {odometry}, at least '
            f'{ODOMETRY_HZ:g} Hz are needed to say where the car was at t0'
        )
    return out + _history(found, topics, profile)


def _cameras(topics: Mapping[Source, str], rig: Rig, profile: ModelProfile) -> list[str]:
    known = {camera.name: camera for camera in rig.cameras}
    out = []
    for camera in profile.cameras:
        if camera.name not in known:
            out.append(f'camera {camera.name}: the rig {rig.name!r} has none of that name')
        elif Source('image', camera.name) not in topics:
            raw = image_names(known[camera.name])[1]
            out.append(
                f'camera {camera.name}: no pictures on {raw} or {raw}{COMPRESSED}; name them with '
                f'--map RECORDED:={raw}'
            )
    return out


def _history(found: Survey, topics: Mapping[Source, str], profile: ModelProfile) -> list[str]:
    """Frames of the past that can never be there: too slow a camera, too short a recording."""
    count, spacing_s = profile.frames.count, profile.frames.spacing_s
    span_s = (count - 1) * spacing_s
    out = []
    if found.duration_s < span_s:
        out.append(
            f'history: {found.duration_s:.2f} s were recorded, {profile.name} looks back '
            f'{span_s:.2f} s'
        )
    ring = FrameRing()
    slowest_s = spacing_s + 2 * (ring.period_ns // 2 + JITTER_NS) / NS
    for source, topic in topics.items():
        rate_hz = found.rate_hz(topic)
        if source.role == 'image' and found.counts.get(topic, 0) > 1 and rate_hz * slowest_s < 1:
            out.append(
                f'history: {source.camera} at {rate_hz:.1f} Hz, {profile.name} wants a picture '
                f'every {spacing_s:g} s'
            )
    return out
