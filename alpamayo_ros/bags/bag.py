"""Bags without ROS: read mcap and sqlite3 recordings, write mcap with the standard message types.

A bag that is cut off or damaged ends the reading with a ``Fault`` that says where and after how
many messages; nothing is skipped silently.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from rosbags.typesys.store import Typestore

from alpamayo_ros.bags.folder import Recording, open_file, open_recording
from alpamayo_ros.bags.mcap_writer import McapWriter
from alpamayo_ros.bags.merge import Tally, messages
from alpamayo_ros.bags.pack import unpack
from alpamayo_ros.bags.parts import Damage, StoredMessage, Topic
from alpamayo_ros.bags.schema import UNDECODABLE, agree, opaque, typestore
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.units import NS, counted

ABOUT = 'alpamayo'  # name of the record in which a bag says where it comes from
INCIDENT = 'incident'  # the origin of a bag that the incident recorder wrote
_NEVER = '{sec: 9223372036, nsec: 854775807}'
# reliable, transient local, the last one; in the numbers that every version of rosbag2 reads
LATCHED_QOS = (
    '- {history: 1, depth: 1, reliability: 1, durability: 1, '
    f'deadline: {_NEVER}, lifespan: {_NEVER}, liveliness: 1, '
    f'liveliness_lease_duration: {_NEVER}, avoid_ros_namespace_conventions: false}}\n'
)
W = TypeVar('W', bound='BagWriter')


@dataclass(frozen=True, slots=True)
class BagMessage:
    """One message: ``time_ns`` is when it was recorded, its header says when it was captured.

    ``offset``: byte of the file at which its chunk or record begins, -1 where unknown.
    """

    topic: str
    type: str
    time_ns: int
    message: Any
    offset: int = -1


@dataclass(slots=True)
class BagReader:
    """The messages of a bag in time order; then ``fault`` tells whether it was whole.

    ``path``: .mcap, .db3 or a folder of rosbag2.  ``raw``: ``message`` is the serialised message
    (CDR bytes) instead of an object.  ``unchecked``: messages under no checksum, in which damage
    that still decodes would go unseen (0 where the recording is sealed).  ``unread``: topics that
    cannot be looked into, and why; their ``message`` is bytes.  One that was asked for, in
    ``topics`` or in ``needed`` where all are read, is damage.
    """

    path: Path
    topics: Collection[str] | None = None
    raw: bool = False
    count: int = 0
    fault: Fault | None = None
    unchecked: int = 0
    store: Typestore = field(default_factory=typestore)
    unread: dict[str, str] = field(default_factory=dict)
    needed: Collection[str] = ()
    _last: BagMessage | None = None
    _agreed: set[Topic] = field(default_factory=set)

    def __iter__(self) -> Iterator[BagMessage]:
        """Messages until the end or the damage; BAG_BROKEN is then in ``fault``."""
        self.count, self.fault, self.unchecked, self._last = 0, None, 0, None
        self.unread, self._agreed = {}, set()
        try:
            with open_recording(self.path) as recording:
                yield from self._read(recording)
        except (Damage, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            self.fault = self._broken(error)

    def types(self) -> dict[str, str]:
        """Message type of each topic.

        Where the table of contents, or what it is read from, is damaged, ``fault`` is BAG_BROKEN
        and the topics are those that can be read.
        """
        found: dict[str, str] = {}
        try:
            with open_recording(self.path) as recording:
                for path in recording.files:
                    storage = open_file(path)
                    found.update((topic.name, topic.type) for topic in storage.topics)
                    wrong = storage.wrong or recording.wrong
                    storage.close()
                    if wrong is not None and self.fault is None:
                        self.fault = self._broken(wrong)
        except (Damage, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            self.fault = self._broken(error)
        return found

    def _read(self, recording: Recording) -> Iterator[BagMessage]:
        tally = Tally()
        try:
            for stored in messages(recording.files, self._wanted, tally):
                rest = (stored.time_ns, self._content(stored, recording), stored.offset)
                self._last = BagMessage(stored.topic.name, stored.topic.type, *rest)
                self.count += 1
                yield self._last
        except Damage as damage:
            if damage.file == recording.path.name:  # said already
                damage.file = ''
            raise
        finally:
            self.unchecked = 0 if recording.sealed else tally.unchecked
        if recording.wrong is not None:
            raise recording.wrong
        said = recording.counts or tally.counts
        for name in sorted(tally.counts.keys() | said.keys()):
            if (had := tally.counts[name]) != said.get(name, 0):
                text = f'{counted(had, "message")} found, metadata.yaml says {said.get(name, 0)}'
                raise Damage(text, topic=name)

    def _wanted(self, topic: Topic) -> bool:
        return self.topics is None or topic.name in self.topics

    def _agree(self, topic: Topic, offset: int) -> None:
        """Damage where a topic that was asked for cannot be read; else it is not looked into."""
        problem = opaque(topic, self.store) or agree(topic, self.store)
        if problem and (self.topics is not None or topic.name in self.needed):
            raise Damage(problem, offset, topic.name)
        if problem:
            self.unread[topic.name] = problem
        self._agreed.add(topic)

    def _content(self, stored: StoredMessage, recording: Recording) -> Any:
        topic = stored.topic
        if topic not in self._agreed:
            self._agree(topic, stored.offset)
        try:
            data = unpack(stored.data, 'zstd') if recording.packed else stored.data
            if self.raw or topic.name in self.unread:
                return data
            return self.store.deserialize_cdr(data, topic.type)
        except UNDECODABLE as error:
            text = f'a message of {topic.type} cannot be decoded ({type(error).__name__})'
            raise Damage(text, stored.offset, topic.name) from error

    def _broken(self, error: Damage | OSError) -> Fault:
        were = 'was' if self.count == 1 else 'were'
        text = str(error) if isinstance(error, Damage) else f'cannot be read: {error}'
        text = f'{self.path.name}: {text}; {counted(self.count, "message")} {were} read before it'
        if self._last is not None:
            text += f', the last on {self._last.topic} at {self._last.time_ns / NS:.3f} s'
        values = {'messages': float(self.count), 'bytes': float(_size(self.path))}
        if isinstance(error, Damage) and error.offset >= 0:
            values['offset'] = float(error.offset)
        return Fault(Code.BAG_BROKEN, text, values)


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


class BagWriter:
    """Writes one .mcap file; it appears under its name when complete, and not at all otherwise.

    ``compression``: '' or zstd; pictures do not get smaller by it.  ``counts``: by topic.
    ``latched``: topics that ``ros2 bag play`` repeats to whoever subscribes later; tf2 hears no
    other /tf_static.
    """

    latched: Collection[str] = ('/tf_static',)

    def __init__(self, path: str | Path, compression: str = '') -> None:
        """``path`` ends in .mcap."""
        self.path, self.compression = Path(path), compression
        if self.path.suffix != '.mcap':
            raise ValueError(f'a bag is written as .mcap, not {self.path.name!r}')
        self.store = typestore()
        self.counts: Counter[str] = Counter()
        self._channels: dict[str, int] = {}

    def __enter__(self: W) -> W:
        """Open a folder beside the target for the unfinished file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=self.path.parent, prefix='.bag-')
        self._file = (Path(self._folder.name) / 'bag.mcap').open('wb')
        self._writer = McapWriter(self._file, self.compression)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file and move it to its name; drop it when an exception is under way."""
        try:
            with self._file:
                if kind is None:
                    self._writer.close()
            if kind is None:
                os.replace(Path(self._folder.name) / 'bag.mcap', self.path)
        finally:
            self._folder.cleanup()

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        """Append a message of ``self.store`` (see ``new``)."""
        kind = message.__msgtype__
        if topic not in self._channels:
            about = {'offered_qos_profiles': LATCHED_QOS} if topic in self.latched else {}
            channel = described(topic, kind, self.store)
            self._channels[topic] = self._writer.channel(channel, about)
        self._writer.write(self._channels[topic], time_ns, self.store.serialize_cdr(message, kind))
        self.counts[topic] += 1

    def note(self, texts: dict[str, str]) -> None:
        """Something about the recording as a whole (``bag_outline.about`` reads it)."""
        self._writer.note(ABOUT, texts)

    def new(self, kind: str, /, **fields: Any) -> Any:
        """A message of type ``sensor_msgs/msg/Image`` and the like; every field must be given."""
        return self.store.types[kind](**fields)

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """std_msgs/Header."""
        time = self.new('builtin_interfaces/msg/Time', sec=stamp_ns // NS, nanosec=stamp_ns % NS)
        return self.new('std_msgs/msg/Header', stamp=time, frame_id=frame_id)


def described(name: str, kind: str, store: Typestore) -> Topic:
    """A topic with the definition of its type, as bags carry it."""
    return Topic(name, kind, store.generate_msgdef(kind, ros_version=2)[0])
