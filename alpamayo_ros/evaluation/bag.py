"""Bags without ROS: write and read mcap with the standard message types (through ``rosbags``).

The same messages give the same bytes.  A bag that is cut off or damaged ends the reading with a
``Fault`` that says after how many messages; nothing is skipped silently.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.rosbag2.errors import ReaderError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import share_dir

NS = 1_000_000_000
W = TypeVar('W', bound='BagWriter')
# what the parsers raise on damaged input
BROKEN = (
    ReaderError,
    AssertionError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    UnicodeDecodeError,
    ValueError,
    struct.error,
)


def typestore() -> Typestore:
    """The standard types of ROS 2 and, where the package's msg/ folder is present, its own."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for path in sorted((share_dir() / 'msg').glob('*.msg')):
        types.update(get_types_from_msg(path.read_text(), f'alpamayo_ros/msg/{path.stem}'))
    store.register({name: known for name, known in types.items() if name not in store.types})
    return store


@dataclass(frozen=True, slots=True)
class BagMessage:
    """One message: ``time_ns`` is when it was recorded, its header says when it was captured."""

    topic: str
    type: str
    time_ns: int
    message: Any


@dataclass(slots=True)
class BagReader:
    """The messages of a bag in time order; then ``fault`` tells whether it was whole.

    ``raw``: ``message`` is the serialised message (CDR bytes) instead of an object.
    """

    path: Path
    topics: Collection[str] | None = None
    raw: bool = False
    count: int = 0
    fault: Fault | None = None
    store: Typestore = field(default_factory=typestore)

    def __iter__(self) -> Iterator[BagMessage]:
        """Messages until the end or the damage; BAG_BROKEN is then in ``fault``."""
        if not self.path.exists():
            raise FileNotFoundError(f'no bag {self.path}')
        self.count, self.fault = 0, None
        try:
            with Reader(self.path) as reader:
                wanted = [
                    c for c in reader.connections if self.topics is None or c.topic in self.topics
                ]
                for connection, time_ns, data in reader.messages(wanted) if wanted else ():
                    kind = connection.msgtype
                    message = bytes(data) if self.raw else self.store.deserialize_cdr(data, kind)
                    self.count += 1
                    yield BagMessage(connection.topic, connection.msgtype, time_ns, message)
        except BROKEN as error:
            self.fault = self._broken(error)

    def types(self) -> dict[str, str]:
        """Message type of each topic; empty, and BAG_BROKEN in ``fault``, if it cannot be read."""
        try:
            with Reader(self.path) as reader:
                return {c.topic: c.msgtype for c in reader.connections}
        except BROKEN as error:
            self.fault = self._broken(error)
            return {}

    def _broken(self, error: Exception) -> Fault:
        return Fault(
            Code.BAG_BROKEN,
            f'{self.path.name}: {type(error).__name__} after {self.count} messages: '
            f'{str(error)[:160]}',
            {'messages': float(self.count), 'bytes': float(self.path.stat().st_size)},
        )


class BagWriter:
    """Writes one .mcap file; it appears under its name when complete, and not at all otherwise."""

    def __init__(self, path: str | Path) -> None:
        """``path`` ends in .mcap."""
        self.path = Path(path)
        if self.path.suffix != '.mcap':
            raise ValueError(f'a bag is written as .mcap, not {self.path.name!r}')
        self.store = typestore()
        self.count = 0
        self._connections: dict[str, Any] = {}

    def __enter__(self: W) -> W:
        """Open a folder beside the target for the unfinished file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=self.path.parent, prefix='.bag-')
        self._writer = Writer(
            Path(self._folder.name) / 'bag', version=9, storage_plugin=StoragePlugin.MCAP
        )
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file and move it to its name; drop it when an exception is under way."""
        self._writer.close()
        if kind is None:
            os.replace(next((Path(self._folder.name) / 'bag').glob('*.mcap')), self.path)
        self._folder.cleanup()

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        """Append a message of ``self.store`` (see ``new``)."""
        kind = message.__msgtype__
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self.store
            )
        data = self.store.serialize_cdr(message, kind)
        self._writer.write(self._connections[topic], time_ns, data)
        self.count += 1

    def new(self, kind: str, /, **fields: Any) -> Any:
        """A message of type ``sensor_msgs/msg/Image`` and the like; every field must be given."""
        return self.store.types[kind](**fields)

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """std_msgs/Header."""
        time = self.new('builtin_interfaces/msg/Time', sec=stamp_ns // NS, nanosec=stamp_ns % NS)
        return self.new('std_msgs/msg/Header', stamp=time, frame_id=frame_id)
