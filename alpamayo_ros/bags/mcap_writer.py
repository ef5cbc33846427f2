"""Writes an mcap file (https://mcap.dev/spec) with every checksum that the format has.

The plugin of rosbag2 leaves chunk checksums out by default, rosbags writes none at all; here each
chunk, the data as a whole and the summary have one.  The same messages give the same bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO
from zlib import crc32

from alpamayo_ros.bags import mcap_records as rec
from alpamayo_ros.bags.mcap_records import Channel, Schema, packed, packed_map, record
from alpamayo_ros.bags.pack import pack
from alpamayo_ros.bags.parts import Topic

CHUNK_BYTES = 1 << 20
NO_TIME = 2**64 - 1
LIBRARY = 'alpamayo_ros'
# rosbag2 then reads QoS profiles in their older form, which every distribution understands
ROSBAG2 = record(rec.METADATA, packed('rosbag2') + packed_map({'ROS_DISTRO': 'jazzy'}))


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
        self._schemas: dict[str, Schema] = {}
        self._channels: list[tuple[Channel, dict[str, str]]] = []
        self._indexes: list[bytes] = []
        self._counts: dict[int, int] = {}
        self._metadata = [ROSBAG2]
        self._pending = _Pending()
        self._start_ns, self._end_ns = NO_TIME, 0
        self._put(rec.MAGIC)
        self._put(record(rec.HEADER, packed('ros2') + packed(LIBRARY)))

    @property
    def total(self) -> int:
        """Messages written so far."""
        return sum(self._counts.values())

    def channel(self, topic: Topic, metadata: dict[str, str] | None = None) -> int:
        """Announce a topic; its number for ``write``.  ``metadata``: offered_qos_profiles etc."""
        known = self._schemas.get(topic.type)
        if known is None:
            fields = (topic.type, topic.encoding, topic.definition)
            known = self._schemas[topic.type] = Schema(len(self._schemas) + 1, *fields)
            self._pending.data += _schema(known)
        channel = Channel(len(self._channels) + 1, known.id, topic.name, 'cdr')
        self._channels.append((channel, metadata or {}))
        self._counts[channel.id] = 0
        self._pending.data += _channel(channel, metadata or {})
        return channel.id

    def write(self, channel: int, time_ns: int, data: bytes | memoryview) -> None:
        """Append a serialised message, recorded at ``time_ns``."""
        pending = self._pending
        pending.rows.setdefault(channel, []).append((time_ns, len(pending.data)))
        pending.start_ns = min(pending.start_ns, time_ns)
        pending.end_ns = max(pending.end_ns, time_ns)
        length = rec.MESSAGE_HEAD.size + len(data)
        pending.data += rec.PREFIX.pack(rec.MESSAGE, length)
        pending.data += rec.MESSAGE_HEAD.pack(channel, self._counts[channel], time_ns, time_ns)
        pending.data += data
        self._counts[channel] += 1
        if len(pending.data) >= CHUNK_BYTES:
            self.flush()

    def note(self, name: str, texts: dict[str, str]) -> None:
        """Something about the recording as a whole, written at its end."""
        self._metadata.append(record(rec.METADATA, packed(name) + packed_map(texts)))

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

    def _chunk(self, pending: _Pending) -> bytes:
        """Write a chunk and its message indexes; its chunk index, for the summary."""
        start_ns = pending.start_ns if pending.rows else 0
        times = struct.pack('<QQ', start_ns, pending.end_ns)
        name, data = self._packed(pending.data)
        sizes = struct.pack('<QI', len(pending.data), crc32(pending.data))
        start = self._at
        head = times + sizes + packed(name) + struct.pack('<Q', len(data))
        self._put(rec.PREFIX.pack(rec.CHUNK, len(head) + len(data)) + head)
        self._put(data)
        length, offsets = self._at - start, b''
        for channel, rows in pending.rows.items():
            offsets += struct.pack('<HQ', channel, self._at)
            body = b''.join(struct.pack('<QQ', *row) for row in rows)
            self._put(record(rec.MESSAGE_INDEX, struct.pack('<H', channel) + packed(body)))
        index = times + struct.pack('<QQ', start, length) + packed(offsets)
        index += struct.pack('<Q', self._at - start - length) + packed(name)
        return record(rec.CHUNK_INDEX, index + struct.pack('<QQ', len(data), len(pending.data)))

    def close(self) -> None:
        """Finish the file; it is whole only now.  The caller closes it."""
        self.flush()
        metadata = b''
        for note in self._metadata:
            place = struct.pack('<QQ', self._at, len(note))
            name = rec.Cursor(note, rec.PREFIX.size).text()
            metadata += record(rec.METADATA_INDEX, place + packed(name))
            self._put(note)
        data_crc = self._crc
        self._put(record(rec.DATA_END, struct.pack('<I', data_crc)))
        start = self._at
        groups = {
            rec.SCHEMA: b''.join(_schema(s) for s in self._schemas.values()),
            rec.CHANNEL: b''.join(_channel(*c) for c in self._channels),
            rec.CHUNK_INDEX: b''.join(self._indexes),
            rec.METADATA_INDEX: metadata,
            rec.STATISTICS: self._statistics(),
        }
        summary, offsets = b'', b''
        for opcode, group in groups.items():
            if group:
                place = struct.pack('<BQQ', opcode, start + len(summary), len(group))
                offsets += record(rec.SUMMARY_OFFSET, place)
            summary += group
        footer = rec.PREFIX.pack(rec.FOOTER, 20)
        footer += struct.pack('<QQ', start, start + len(summary))
        crc = crc32(summary + offsets + footer)
        self._put(summary + offsets + footer + struct.pack('<I', crc) + rec.MAGIC)

    def _statistics(self) -> bytes:
        counts = b''.join(struct.pack('<HQ', *row) for row in sorted(self._counts.items()))
        total = sum(self._counts.values())
        start = self._start_ns if total else 0
        numbers = (total, len(self._schemas), len(self._channels), 0, len(self._metadata))
        body = struct.pack('<QHIII', *numbers)
        body += struct.pack('<IQQ', len(self._indexes), start, self._end_ns)
        return record(rec.STATISTICS, body + packed(counts))

    def _packed(self, data: bytearray) -> tuple[str, bytes | bytearray]:
        """Name of the compression and the bytes; plain where packing does not save a twentieth."""
        if self._compression:
            small = pack(data)
            if len(small) < 0.95 * len(data):
                return self._compression, small
        return '', data

    def _put(self, data: bytes | bytearray) -> None:
        left = memoryview(data)
        while left:  # a file without a buffer may take a part
            left = left[self._file.write(left) :]
        self._at += len(data)
        self._crc = crc32(data, self._crc)


def _schema(schema: Schema) -> bytes:
    body = struct.pack('<H', schema.id) + packed(schema.name) + packed(schema.encoding)
    return record(rec.SCHEMA, body + packed(schema.text))


def _channel(channel: Channel, metadata: dict[str, str]) -> bytes:
    body = struct.pack('<HH', channel.id, channel.schema) + packed(channel.topic)
    return record(rec.CHANNEL, body + packed(channel.encoding) + packed_map(metadata))
