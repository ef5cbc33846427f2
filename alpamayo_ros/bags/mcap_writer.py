"""Writes an mcap file (https://mcap.dev/spec) with every checksum that the format has.

The plugin of rosbag2 leaves chunk checksums out by default, rosbags writes none at all; here each
chunk, the data as a whole and the summary have one.  The same messages give the same bytes.  The
records are the mcap library's; its writer cannot flush, nor be closed whole after a full disk.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO
from zlib import crc32

from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from alpamayo_ros.bags import mcap_records as rec
from alpamayo_ros.bags.mcap_records import encoded
from alpamayo_ros.bags.pack import pack
from alpamayo_ros.bags.parts import Topic

CHUNK_BYTES = 1 << 20
NO_TIME = 2**64 - 1
LIBRARY = 'alpamayo_ros'
# rosbag2 then reads QoS profiles in their older form, which every distribution understands
ROSBAG2 = Metadata('rosbag2', {'ROS_DISTRO': 'jazzy'})


@dataclass(slots=True)
class _Pending:
    """The chunk that is being filled."""

    data: bytearray = field(default_factory=bytearray)
    rows: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    start_ns: int = NO_TIME
    end_ns: int = 0


class McapWriter:
    """Chunks of about a megabyte; ``compression``: '' or zstd (level 1, kept where it helps)."""

    def __init__(self, file: BinaryIO, compression: str = '') -> None:
        """Write the head of the file."""
        if compression not in ('', 'zstd'):
            raise ValueError(f"compression is '' or 'zstd', not {compression!r}")
        self._file, self._compression = file, compression
        self._at = self._crc = 0
        self._schemas: dict[tuple[str, str, str], Schema] = {}
        self._channels: list[Channel] = []
        self._indexes: list[ChunkIndex] = []
        self._counts: dict[int, int] = {}
        self._metadata, self._places = [ROSBAG2], list[MetadataIndex]()
        self._pending = _Pending()
        self._start_ns, self._end_ns = NO_TIME, 0
        self._put(rec.MAGIC + encoded(Header('ros2', LIBRARY)))

    @property
    def total(self) -> int:
        """Messages written so far."""
        return sum(self._counts.values())

    def channel(self, topic: Topic, metadata: dict[str, str] | None = None) -> int:
        """Announce a topic; its number for ``write``.  ``metadata``: offered_qos_profiles etc."""
        channel = Channel(
            id=len(self._channels) + 1,
            topic=topic.name,
            message_encoding=topic.serialization,
            metadata=metadata or {},
            schema_id=self._schema(topic),
        )
        self._channels.append(channel)
        self._counts[channel.id] = 0
        self._pending.data += encoded(channel)
        return channel.id

    def _schema(self, topic: Topic) -> int:
        """Number of the definition, announced where it is new; 0 where there is none."""
        key = (topic.type, topic.encoding, topic.definition)
        if not any(key):
            return 0
        if key not in self._schemas:
            data = topic.definition.encode(errors='surrogateescape')
            new = Schema(len(self._schemas) + 1, data, topic.encoding, topic.type)
            self._schemas[key] = new
            self._pending.data += encoded(new)
        return self._schemas[key].id

    def write(self, channel: int, time_ns: int, data: bytes | memoryview) -> None:
        """Append a serialised message, recorded at ``time_ns``."""
        pending = self._pending
        pending.rows.setdefault(channel, []).append((time_ns, len(pending.data)))
        pending.start_ns = min(pending.start_ns, time_ns)
        pending.end_ns = max(pending.end_ns, time_ns)
        length = rec.MESSAGE_HEAD.size + len(data)
        pending.data += rec.PREFIX.pack(Opcode.MESSAGE, length)
        pending.data += rec.MESSAGE_HEAD.pack(channel, self._counts[channel], time_ns, time_ns)
        pending.data += data
        self._counts[channel] += 1
        if len(pending.data) >= CHUNK_BYTES:
            self.flush()

    def note(self, name: str, texts: dict[str, str]) -> None:
        """Something about the recording as a whole, written at its end."""
        self._metadata.append(Metadata(name, texts))

    def note_now(self, name: str, texts: dict[str, str]) -> None:
        """The same, written here: a file that is cut off behind it says it too."""
        data = encoded(Metadata(name, texts))
        self._places.append(MetadataIndex(self._at, len(data), name))
        self._put(data)

    def flush(self) -> None:
        """Write the chunk that is being filled: what is flushed survives a crash.

        OSError, of a full disk for example, drops that chunk and leaves the file as it was before;
        it can then be closed.
        """
        pending, self._pending = self._pending, _Pending()
        if not pending.data:
            return
        place = self._at, self._crc
        try:
            self._indexes.append(self._chunk(pending))
        except OSError:
            self._at, self._crc = place
            self._file.seek(self._at)
            self._file.truncate()
            for channel, rows in pending.rows.items():
                self._counts[channel] -= len(rows)
            raise
        if pending.rows:
            self._start_ns = min(self._start_ns, pending.start_ns)
            self._end_ns = max(self._end_ns, pending.end_ns)

    def _chunk(self, pending: _Pending) -> ChunkIndex:
        """Write a chunk and its message indexes; its chunk index, for the summary."""
        start_ns = pending.start_ns if pending.rows else 0
        name, data = self._packed(bytes(pending.data))
        sizes = (crc32(pending.data), len(pending.data))
        start, offsets = self._at, {}
        self._put(encoded(Chunk(name, data, pending.end_ns, start_ns, *sizes)))
        length = self._at - start
        for channel, rows in pending.rows.items():
            offsets[channel] = self._at
            self._put(encoded(MessageIndex(channel, rows)))
        return ChunkIndex(
            chunk_length=length,
            chunk_start_offset=start,
            compression=name,
            compressed_size=len(data),
            message_end_time=pending.end_ns,
            message_index_length=self._at - start - length,
            message_index_offsets=offsets,
            message_start_time=start_ns,
            uncompressed_size=len(pending.data),
        )

    def close(self) -> None:
        """Finish the file; it is whole only now.  The caller closes it."""
        self.flush()
        for note in self._metadata:
            self.note_now(note.name, note.metadata)
        self._put(encoded(DataEnd(self._crc)))
        start = self._at
        groups: dict[Opcode, list[McapRecord]] = {
            Opcode.SCHEMA: [*self._schemas.values()],
            Opcode.CHANNEL: [*self._channels],
            Opcode.CHUNK_INDEX: [*self._indexes],
            Opcode.METADATA_INDEX: [*self._places],
            Opcode.STATISTICS: [self._statistics()],
        }
        summary, offsets = b'', b''
        for opcode, records in groups.items():
            group = encoded(*records)
            if group:
                offsets += encoded(SummaryOffset(opcode, start + len(summary), len(group)))
            summary += group
        footer = encoded(Footer(start, start + len(summary), 0))[:-4]
        crc = crc32(summary + offsets + footer)
        self._put(summary + offsets + footer + struct.pack('<I', crc) + rec.MAGIC)

    def _statistics(self) -> Statistics:
        return Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts=dict(sorted(self._counts.items())),
            chunk_count=len(self._indexes),
            message_count=self.total,
            message_end_time=self._end_ns,
            message_start_time=self._start_ns if self.total else 0,
            metadata_count=len(self._places),
            schema_count=len(self._schemas),
        )

    def _packed(self, data: bytes) -> tuple[str, bytes]:
        """Name of the compression and the bytes; plain where packing does not save a twentieth."""
        if self._compression:
            small = pack(data)
            if len(small) < 0.95 * len(data):
                return self._compression, small
        return '', data

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:  # a file without a buffer may take a part
            left = left[self._file.write(left) :]
        self._at += len(data)
        self._crc = crc32(data, self._crc)
