"""Reads an mcap file from front to back and checks everything that can be checked on the way.

Checked: every length, the CRC of each chunk, of the summary, of attachments and of all data where
the writer left one, message indexes, chunk indexes and message counts.  rosbags checks the CRC of
chunks alone and cannot read a file without its end.  A damaged file gives what lies before the
damage, in time order.
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from alpamayo_ros.bags import mcap_records as rec
from alpamayo_ros.bags.mcap_frame import (
    NO_TIME,
    Tail,
    Unit,
    read_front,
    read_tail,
    scan,
)
from alpamayo_ros.bags.mcap_totals import SeenChunk, check_totals
from alpamayo_ros.bags.parts import Damage, StoredMessage, Topic

Wanted = Callable[[Topic], bool]


class McapFile:
    """One mcap file.  ``wrong``: what is the matter with its end, None where nothing is.

    ``unchecked``: messages read that are under no checksum.
    """

    def __init__(self, path: Path) -> None:
        """Open and look at both ends; Damage where the front is not that of a ROS 2 mcap."""
        self.path, self.size = path, path.stat().st_size
        self.seen: Counter[int] = Counter()
        self.unchecked = 0
        self._file: BinaryIO = path.open('rb')
        self._schemas: dict[int, rec.Schema] = {}
        self._channels: dict[int, Topic] = {}
        self._heap: list[tuple[int, int, StoredMessage]] = []
        self._indexes: dict[int, list[tuple[int, int]]] = {}
        self._indexed: set[tuple[int, int]] = set()
        self._chunks: dict[int, SeenChunk] = {}
        self._number = 0
        try:
            first, self._crc = read_front(self._file, self.size)
            self.tail: Tail | None = None
            self.wrong: Damage | None = None
            try:
                self.tail = read_tail(self._file, self.size)
            except Damage as damage:
                self.wrong = damage
            if self.tail is not None:
                self._learn_from(self.tail)
            limit = self.size if self.tail is None else self.tail.data_end
            self._units, self._stop = scan(self._file, first, limit)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def topics(self) -> list[Topic]:
        """Every topic; where the summary is lost, those of the part that can be read."""
        if self._channels:
            return list(self._channels.values())
        scout = McapFile(self.path)
        try:
            for _ in scout.messages(lambda _: False):
                pass
        except Damage:
            pass
        finally:
            scout.close()
        return list(scout._channels.values())

    def counts(self) -> dict[str, int]:
        """Messages read by topic, wanted or not."""
        out: Counter[str] = Counter()
        for channel, count in self.seen.items():
            out[self._channels[channel].name] += count
        return out

    # ---- table of contents --------------------------------------------------------------------
    def contents(self) -> list[tuple[str, str, int]]:
        """Topic, type and number of messages, as the summary says; Damage without one."""
        if self.tail is None or self.tail.counts is None:
            raise self.wrong or Damage('the file has no statistics')
        counts = self.tail.counts
        return [(t.name, t.type, counts.get(i, 0)) for i, t in self._channels.items()]

    def span(self) -> tuple[int, int]:
        """First and last message time, by the summary."""
        return (0, 0) if self.tail is None else self.tail.span_ns

    def notes(self, name: str) -> dict[str, str]:
        """The last metadata record of that name; ValueError or struct.error if it is damaged."""
        found: dict[str, str] = {}
        for unit in self._units:
            if unit.opcode == rec.METADATA:
                self._file.seek(unit.offset + rec.PREFIX.size)
                cursor = rec.Cursor(self._file.read(unit.length - rec.PREFIX.size))
                if cursor.text() == name:
                    found = cursor.texts()
        return found

    # ---- what messages mean -------------------------------------------------------------------
    def _learn_from(self, tail: Tail) -> None:
        for schema in tail.schemas.values():
            self._schemas[schema.id] = schema
        for channel in tail.channels.values():
            self._learn(channel, tail.data_end)

    def _learn(self, channel: rec.Channel, offset: int) -> None:
        schema = self._schemas.get(channel.schema)
        if schema is None:
            raise Damage(f'no definition number {channel.schema}', offset, channel.topic)
        topic = Topic(channel.topic, schema.name, schema.text, schema.encoding)
        if channel.encoding != 'cdr':
            text = f'messages are {ascii(channel.encoding)}, only cdr can be read'
            raise Damage(text, offset, channel.topic)
        if self._channels.setdefault(channel.id, topic) != topic:
            raise Damage(f'channel {channel.id} is described twice, differently', offset)

    # ---- reading ------------------------------------------------------------------------------
    def messages(self, wanted: Wanted) -> Iterator[StoredMessage]:
        """Messages of the wanted topics in time order; Damage after the last that can be had."""
        later = list(accumulate((u.start_ns for u in reversed(self._units)), min, initial=NO_TIME))
        later.reverse()
        damage: Damage | None = None
        for i, unit in enumerate(self._units):
            try:
                self._take(unit, wanted)
            except Damage as found:
                damage = found
                break
            while self._heap and self._heap[0][0] <= later[i + 1]:
                yield heapq.heappop(self._heap)[2]
        while self._heap:
            yield heapq.heappop(self._heap)[2]
        if damage := damage or self._stop or self.wrong:
            raise damage
        assert self.tail is not None  # it was raised
        if self.tail.data_crc and self._crc != self.tail.data_crc:
            raise Damage(f'the data up to byte {self.tail.data_end} fails its checksum as a whole')
        check_totals(self.tail, self.counts(), self._channels, self._chunks, self._indexed)

    def _take(self, unit: Unit, wanted: Wanted) -> None:
        """One record of the data section."""
        self._file.seek(unit.offset)
        data = self._file.read(unit.length)
        if len(data) != unit.length:
            raise Damage('the file became shorter while it was read', unit.offset)
        if self.tail is not None and self.tail.data_crc:
            self._crc = crc32(data, self._crc)
        body = memoryview(data)[rec.PREFIX.size :]
        try:
            self._note(unit, body, wanted)
        except (ValueError, struct.error) as error:
            name = 'chunk' if unit.opcode == rec.CHUNK else f'record of kind {unit.opcode:#04x}'
            raise Damage(f'a {name} is damaged: {error}', unit.offset) from error

    def _note(self, unit: Unit, body: memoryview, wanted: Wanted) -> None:
        if unit.opcode == rec.CHUNK:
            self._chunk(unit, rec.chunk(body), wanted)
        elif unit.opcode == rec.MESSAGE:
            self._message(body, unit.offset, wanted)
            self.unchecked += not (self.tail is not None and self.tail.data_crc)
        elif unit.opcode == rec.MESSAGE_INDEX:
            channel, rows = rec.message_index(body)
            if self._indexes.get(channel, []) != sorted(rows):
                raise ValueError('it disagrees with the chunk before it')
            self._indexed.add((unit.offset, channel))
        elif unit.opcode == rec.ATTACHMENT:
            (crc,) = struct.unpack_from('<I', body, len(body) - 4)
            if crc and crc32(body[:-4]) != crc:
                raise ValueError('an attachment fails its checksum')
        else:
            self._describe(unit.opcode, body, unit.offset)

    def _describe(self, opcode: int, body: memoryview, offset: int) -> None:
        if opcode == rec.SCHEMA:
            schema = rec.schema(body)
            if self._schemas.setdefault(schema.id, schema) != schema:
                raise ValueError(f'definition {schema.id} is given twice, differently')
        elif opcode == rec.CHANNEL:
            self._learn(rec.channel(body), offset)

    def _chunk(self, unit: Unit, chunk: rec.Chunk, wanted: Wanted) -> None:
        raw = memoryview(chunk.unpack())
        self._indexes, before = {}, sum(self.seen.values())
        low, high = NO_TIME, 0
        for opcode, at, first, end in rec.split(raw, unit.offset):
            if opcode != rec.MESSAGE:
                self._describe(opcode, raw[first:end], unit.offset)
                continue
            channel, time_ns = self._message(raw[first:end], unit.offset, wanted)
            self._indexes.setdefault(channel, []).append((time_ns, at))
            low, high = min(low, time_ns), max(high, time_ns)
        if self._indexes and (low, high) != (chunk.start_ns, chunk.end_ns):
            raise ValueError('its messages are not from the time that it names')
        for rows in self._indexes.values():
            rows.sort()
        if not chunk.crc and not (self.tail is not None and self.tail.data_crc):
            self.unchecked += sum(self.seen.values()) - before
        times = (chunk.start_ns, chunk.end_ns)
        packing = (chunk.compression, len(chunk.data))
        self._chunks[unit.offset] = SeenChunk(*times, unit.length, chunk.size, *packing)

    def _message(self, body: memoryview, offset: int, wanted: Wanted) -> tuple[int, int]:
        channel, _, time_ns, _ = rec.MESSAGE_HEAD.unpack_from(body)
        topic = self._channels.get(channel)
        if topic is None:
            raise ValueError(f'a message is on channel {channel}, which is not described')
        self.seen[channel] += 1
        if wanted(topic):
            data = bytes(body[rec.MESSAGE_HEAD.size :])
            self._number += 1
            message = StoredMessage(topic, time_ns, data, offset)
            heapq.heappush(self._heap, (time_ns, self._number, message))
        return channel, time_ns
