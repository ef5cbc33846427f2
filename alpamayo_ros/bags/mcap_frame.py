"""The frame of an mcap file: its front, its end with the summary, and the records between."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple
from zlib import crc32

from alpamayo_ros.bags import mcap_records as rec
from alpamayo_ros.bags.mcap_records import Cursor
from alpamayo_ros.bags.parts import Damage

NO_TIME = 2**64


class Unit(NamedTuple):
    """A record of the data section; ``start_ns``: earliest message time in it, else NO_TIME."""

    opcode: int
    offset: int
    length: int
    start_ns: int


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """Where the summary says that a chunk lies, and its message indexes by channel."""

    start_ns: int
    end_ns: int
    offset: int
    length: int
    indexes: dict[int, int]
    indexes_length: int
    compression: str
    packed: int
    size: int


@dataclass(slots=True)
class Tail:
    """What the end of a file says about the rest.

    ``data_end``: byte at which the DataEnd record begins; ``data_crc``: of all before it, 0: none;
    ``counts``: messages by channel, None without statistics.
    """

    data_end: int
    data_crc: int
    summary_crc: int = 0
    schemas: dict[int, rec.Schema] = field(default_factory=dict)
    channels: dict[int, rec.Channel] = field(default_factory=dict)
    chunks: dict[int, ChunkIndex] = field(default_factory=dict)
    counts: dict[int, int] | None = None
    chunk_count: int = 0
    span_ns: tuple[int, int] = (0, 0)


def read_tail(file: BinaryIO, size: int) -> Tail:
    """Footer and summary, checked; Damage where the file does not end as an mcap ends."""
    at = size - len(rec.MAGIC) - rec.FOOTER_BYTES
    if at < len(rec.MAGIC):
        raise Damage('the file is cut off: it is too short for an mcap', size)
    file.seek(at)
    footer = file.read(rec.FOOTER_BYTES)
    magic = file.read(len(rec.MAGIC))
    opcode, length = rec.PREFIX.unpack_from(footer)
    if magic != rec.MAGIC or (opcode, length) != (rec.FOOTER, 20):
        raise Damage('the file is cut off or its end is damaged: there is no footer', size)
    summary_at, _, summary_crc = struct.unpack_from('<QQI', footer, rec.PREFIX.size)
    end = summary_at or at
    if not len(rec.MAGIC) + rec.DATA_END_BYTES <= end <= at:
        raise Damage(f'the footer says that the summary begins at byte {summary_at}', at)
    file.seek(end)
    summary = file.read(at - end)
    if summary_crc and crc32(footer[:-4], crc32(summary)) != summary_crc:
        raise Damage('the summary fails its checksum', end)
    file.seek(end - rec.DATA_END_BYTES)
    found = file.read(rec.DATA_END_BYTES)
    if rec.PREFIX.unpack_from(found) != (rec.DATA_END, 4):
        raise Damage('the data does not end where the summary begins', end)
    (data_crc,) = struct.unpack_from('<I', found, rec.PREFIX.size)
    tail = Tail(end - rec.DATA_END_BYTES, data_crc, summary_crc)
    _summary(summary, end, tail)
    return tail


def _summary(summary: bytes, base: int, tail: Tail) -> None:
    at = 0
    while at < len(summary):
        try:
            opcode, length = rec.PREFIX.unpack_from(summary, at)
            first = at + rec.PREFIX.size
            if first + length > len(summary):
                raise ValueError(f'a record claims {length} bytes')
            _note(opcode, summary[first : first + length], tail)
        except (ValueError, struct.error) as error:
            raise Damage(f'the summary is damaged: {error}', base + at) from error
        at = first + length


def _note(opcode: int, body: bytes, tail: Tail) -> None:
    """One record of the summary."""
    if opcode == rec.SCHEMA:
        schema = rec.schema(body)
        tail.schemas[schema.id] = schema
    elif opcode == rec.CHANNEL:
        channel = rec.channel(body)
        tail.channels[channel.id] = channel
    elif opcode == rec.CHUNK_INDEX:
        index = _chunk_index(body)
        tail.chunks[index.offset] = index
    elif opcode == rec.STATISTICS:
        cursor = Cursor(body)
        *_, tail.chunk_count, first, last = cursor.numbers('QHIIIIQQ')
        tail.span_ns = (first, last)
        tail.counts = dict(struct.iter_unpack('<HQ', cursor.block()))
        cursor.end()
        (total,) = struct.unpack_from('<Q', body)
        if total != sum(tail.counts.values()):
            raise ValueError(f'{total} messages in all, {sum(tail.counts.values())} by topic')
    elif opcode not in (rec.ATTACHMENT_INDEX, rec.METADATA_INDEX, rec.SUMMARY_OFFSET):
        if opcode < rec.PRIVATE:
            raise ValueError(f'record of kind {opcode:#04x}')


def _chunk_index(body: bytes) -> ChunkIndex:
    cursor = Cursor(body)
    start, end, offset, length = cursor.numbers('QQQQ')
    indexes = dict(struct.iter_unpack('<HQ', cursor.block()))
    (indexes_length,) = cursor.numbers('Q')
    compression = cursor.text()
    packed, size = cursor.numbers('QQ')
    cursor.end()
    head = (start, end, offset, length)
    return ChunkIndex(*head, indexes, indexes_length, compression, packed, size)


def read_front(file: BinaryIO, size: int) -> tuple[int, int]:
    """Byte after the header, and the CRC-32 up to there; Damage unless it is a ROS 2 mcap."""
    front = file.read(len(rec.MAGIC) + rec.PREFIX.size)
    if len(front) < len(rec.MAGIC) + rec.PREFIX.size:
        raise Damage(f'the file is cut off: it has {size} bytes', size)
    if not front.startswith(rec.MAGIC):
        raise Damage('this is no mcap file: it does not begin as one', 0)
    opcode, length = rec.PREFIX.unpack_from(front, len(rec.MAGIC))
    if opcode != rec.HEADER or len(front) + length > size:
        raise Damage('the header is damaged or cut off', len(rec.MAGIC))
    body = file.read(length)
    cursor = Cursor(body)
    try:
        profile = cursor.text()
        cursor.text()
        cursor.end()
    except (ValueError, struct.error) as error:
        raise Damage(f'the header is damaged: {error}', len(rec.MAGIC)) from error
    if profile != 'ros2':
        raise Damage(f'the profile is {ascii(profile)}, not ros2', len(rec.MAGIC))
    return len(front) + length, crc32(front + body)


def scan(file: BinaryIO, first: int, limit: int) -> tuple[list[Unit], Damage | None]:
    """The records from ``first`` on by their heads, and why they end before ``limit``."""
    units: list[Unit] = []
    at = first
    while at < limit:
        file.seek(at)
        head = file.read(rec.PREFIX.size + rec.MESSAGE_HEAD.size)
        left = limit - at - rec.PREFIX.size
        if left < 0:
            return units, Damage('the file is cut off within a record', at)
        opcode, length = rec.PREFIX.unpack_from(head)
        if opcode == rec.DATA_END:
            return units, None
        if length > left:
            text = f'cut off or damaged: a record claims {length} bytes, {left} are left'
            return units, Damage(text, at)
        try:
            units.append(Unit(opcode, at, rec.PREFIX.size + length, _start(opcode, head)))
        except (ValueError, struct.error) as error:
            return units, Damage(str(error), at)
        at += rec.PREFIX.size + length
    return units, None


def _start(opcode: int, head: bytes) -> int:
    """Earliest message time that the record can hold; ValueError for what is no record of data."""
    if opcode == rec.CHUNK:
        return int(struct.unpack_from('<Q', head, rec.PREFIX.size)[0])
    if opcode == rec.MESSAGE:
        return int(rec.MESSAGE_HEAD.unpack_from(head, rec.PREFIX.size)[2])
    known = (rec.SCHEMA, rec.CHANNEL, rec.MESSAGE_INDEX, rec.ATTACHMENT, rec.METADATA)
    if opcode not in known and opcode < rec.PRIVATE:
        raise ValueError(f'a record of kind {opcode:#04x} has no place here')
    return NO_TIME
