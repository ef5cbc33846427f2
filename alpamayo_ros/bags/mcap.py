"""Reads an mcap file from front to back and checks everything that can be checked on the way.

Checked: every length, the CRC of each chunk, of the summary, of attachments and of all data where
the writer left one, message indexes, chunk indexes and message counts.  The mcap library, which
reads the records here, checks the CRC of chunks and data alone, names no place, and gives nothing
of a file without its end.  A damaged file gives what lies before the damage, in time order.
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Metadata, Schema

from alpamayo_ros.bags import mcap_records as rec
from alpamayo_ros.bags.mcap_frame import NO_TIME, Tail, Unit, read_front, read_tail, scan
from alpamayo_ros.bags.mcap_totals import Rows, Totals, by_topic, message_index
from alpamayo_ros.bags.parts import Damage, StoredMessage, Topic, full_type

Wanted = Callable[[Topic], bool]
CHUNK_KINDS = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE)
NO_SCHEMA = Schema(id=0, data=b'', encoding='', name='')  # of channels that have none


class McapFile:
    """One mcap file.  ``wrong``: what is the matter with its end, None where nothing is.

    ``unchecked``: messages read that are under no checksum.
    """

    def __init__(self, path: Path) -> None:
        """Open and look at both ends; Damage where the front is not that of a ROS 2 mcap."""
        self.path, self.size = path, path.stat().st_size
        self.totals = Totals()
        self.unchecked = 0
        self._file: BinaryIO = path.open('rb')
        self._schemas: dict[int, Schema] = {0: NO_SCHEMA}
        self._channels: dict[int, Topic] = {}
        self._chosen: dict[int, bool] = {}
        self._heap: list[tuple[int, int, StoredMessage]] = []
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

    def counts(self) -> Counter[str]:
        """Messages read by topic, wanted or not."""
        return by_topic(self.totals.counts, self._channels)

    # ---- table of contents --------------------------------------------------------------------
    def contents(self) -> list[tuple[str, str, int]]:
        """Topic, type and number of messages, as the summary says; Damage without one."""
        if self.tail is None or self.tail.statistics is None:
            raise self.wrong or Damage('the file has no statistics')
        counts = self.tail.statistics.channel_message_counts
        return [(t.name, t.type, counts.get(i, 0)) for i, t in self._channels.items()]

    def first_ns(self) -> int | None:
        """Earliest message time, as summary or chunks say; None in a file without messages."""
        if self.tail is not None and (said := self.tail.statistics):
            return said.message_start_time if said.message_count else None
        return min((u.start_ns for u in self._units if 0 < u.start_ns < NO_TIME), default=None)

    def times(self) -> dict[str, list[int]]:
        """Message times by topic: by the message indexes, or where those lack, by the messages."""
        out: dict[str, list[int]] = defaultdict(list)
        for unit in self._units:
            if unit.opcode == Opcode.MESSAGE_INDEX:
                channel, rows = message_index(self._body(unit))
                if channel not in self._channels:
                    raise Damage(f'an index of channel {channel}: there is none', unit.offset)
                out[self._channels[channel].name] += [time_ns for time_ns, _ in rows]
        if sum(map(len, out.values())) == sum(count for *_, count in self.contents()):
            return out
        out.clear()
        for message in self.messages(lambda _: True):
            out[message.topic.name].append(message.time_ns)
        return out

    def notes(self, name: str) -> dict[str, str]:
        """The last metadata record of that name; ValueError if it is damaged."""
        found: dict[str, str] = {}
        for unit in self._units:
            if unit.opcode == Opcode.METADATA:
                note = rec.parse(Metadata.read, self._body(unit))
                if note.name == name:
                    found = note.metadata
        return found

    def _body(self, unit: Unit) -> bytes:
        self._file.seek(unit.offset + rec.PREFIX.size)
        return self._file.read(unit.length - rec.PREFIX.size)

    # ---- what messages mean -------------------------------------------------------------------
    def _learn_from(self, tail: Tail) -> None:
        for schema in tail.schemas:
            self._schemas[schema.id] = schema
        for channel in tail.channels:
            self._learn(channel, tail.data_end)

    def _learn(self, channel: Channel, offset: int) -> None:
        schema = self._schemas.get(channel.schema_id)
        if schema is None:
            raise Damage(f'no definition number {channel.schema_id}', offset, channel.topic)
        text = schema.data.decode(errors='surrogateescape')  # some encodings are no text
        kind = full_type(schema.name) if channel.message_encoding == 'cdr' else schema.name
        about = (kind, text, schema.encoding, channel.message_encoding)
        topic = Topic(channel.topic, *about)
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
            text = f'the data up to byte {self.tail.data_end} fails its checksum as a whole'
            raise Damage(text)
        self.totals.check(self.tail, self._channels)

    def _take(self, unit: Unit, wanted: Wanted) -> None:
        """One record of the data section."""
        self._file.seek(unit.offset)
        head = self._file.read(rec.PREFIX.size)
        body = self._file.read(unit.length - rec.PREFIX.size)
        if len(head) + len(body) != unit.length:
            raise Damage('the file became shorter while it was read', unit.offset)
        if self.tail is not None and self.tail.data_crc:
            self._crc = crc32(body, crc32(head, self._crc))
        try:
            self._note(unit, body, wanted)
        except (ValueError, struct.error) as error:
            name = 'chunk' if unit.opcode == Opcode.CHUNK else f'record of kind {unit.opcode:#04x}'
            raise Damage(f'a {name} is damaged: {error}', unit.offset) from error

    def _note(self, unit: Unit, body: bytes, wanted: Wanted) -> None:
        if unit.opcode == Opcode.CHUNK:
            self._chunk(unit, rec.parse(Chunk.read, body), wanted)
        elif unit.opcode == Opcode.MESSAGE:
            self._message(body, 0, len(body), unit.offset, wanted)
            self.unchecked += not (self.tail is not None and self.tail.data_crc)
        elif unit.opcode == Opcode.MESSAGE_INDEX:
            self.totals.index(unit, body)
        elif unit.opcode == Opcode.ATTACHMENT:
            (crc,) = struct.unpack_from('<I', body, len(body) - 4)
            if crc and crc32(body[:-4]) != crc:
                raise ValueError('an attachment fails its checksum')
        else:
            self._describe(unit.opcode, body, unit.offset)

    def _describe(self, opcode: int, body: bytes, offset: int) -> None:
        if opcode == Opcode.SCHEMA:
            schema = rec.parse(Schema.read, body)
            if self._schemas.setdefault(schema.id, schema) != schema:
                raise ValueError(f'definition {schema.id} is given twice, differently')
        elif opcode == Opcode.CHANNEL:
            self._learn(rec.parse(Channel.read, body), offset)

    def _chunk(self, unit: Unit, chunk: Chunk, wanted: Wanted) -> None:
        raw = rec.unpacked(chunk)
        rows: Rows = defaultdict(list)
        for opcode, at, first, end in rec.split(raw, CHUNK_KINDS, 'a chunk'):
            if opcode == Opcode.MESSAGE:
                channel, time_ns = self._message(raw, first, end, unit.offset, wanted)
                rows[channel].append((time_ns, at))
            else:
                self._describe(opcode, raw[first:end], unit.offset)
        for found in rows.values():
            found.sort()
        self.totals.chunk(unit, chunk, rows)
        if not chunk.uncompressed_crc and not (self.tail is not None and self.tail.data_crc):
            self.unchecked += sum(map(len, rows.values()))

    def _message(
        self, raw: bytes, first: int, end: int, offset: int, wanted: Wanted
    ) -> tuple[int, int]:
        """Channel and time of the message whose record is ``raw[first:end]``; kept if wanted."""
        data = first + rec.MESSAGE_HEAD.size
        if data > end:
            raise ValueError('a message ends within its head')
        channel, _, time_ns, _ = rec.MESSAGE_HEAD.unpack_from(raw, first)
        topic = self._channels.get(channel)
        if topic is None:
            raise ValueError(f'a message is on channel {channel}, which is not described')
        self.totals.counts[channel] += 1
        if channel not in self._chosen:
            self._chosen[channel] = wanted(topic)
        if self._chosen[channel]:
            self._number += 1
            message = StoredMessage(topic, time_ns, raw[data:end], offset)
            heapq.heappush(self._heap, (time_ns, self._number, message))
        return channel, time_ns
