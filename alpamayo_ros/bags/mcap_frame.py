"""The frame of an mcap file: its front, its end with the summary, and the records between."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple
from zlib import crc32

from mcap.opcode import Opcode
from mcap.records import Channel, ChunkIndex, DataEnd, Footer, Header, Schema, Statistics

from alpamayo_ros.bags import mcap_records as rec
from alpamayo_ros.bags.parts import Damage

NO_TIME = 2**64
PROFILES = ('ros2', '')  # '': by a program that knows no profiles; its channels say what they are
DATA_KINDS = (
    Opcode.SCHEMA,
    Opcode.CHANNEL,
    Opcode.MESSAGE_INDEX,
    Opcode.ATTACHMENT,
    Opcode.METADATA,
)
SUMMARY_KINDS = (
    Opcode.SCHEMA,
    Opcode.CHANNEL,
    Opcode.STATISTICS,
    Opcode.CHUNK_INDEX,
    Opcode.ATTACHMENT_INDEX,
    Opcode.METADATA_INDEX,
    Opcode.SUMMARY_OFFSET,
)


class Unit(NamedTuple):
    """A record of the data section; ``start_ns``: earliest message time in it, else NO_TIME."""

    opcode: int
    offset: int
    length: int
    start_ns: int


@dataclass(slots=True)
class Tail:
    """What stands behind the data.

    ``data_end``: byte at which the DataEnd record begins; ``data_crc``: of all before it, 0: none;
    ``chunks``: chunk indexes by the offset of their chunk; ``statistics``: None where none are.
    """

    data_end: int
    data_crc: int
    schemas: list[Schema] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    chunks: dict[int, ChunkIndex] = field(default_factory=dict)
    statistics: Statistics | None = None


def read_tail(file: BinaryIO, size: int) -> Tail:
    """Footer and summary, checked; Damage where the file does not end as an mcap ends."""
    at = size - len(rec.MAGIC) - rec.FOOTER_BYTES
    if at < len(rec.MAGIC):
        raise Damage('the file is cut off: it is too short for an mcap', size)
    file.seek(at)
    found = file.read(rec.FOOTER_BYTES)
    magic = file.read(len(rec.MAGIC))
    if magic != rec.MAGIC or rec.PREFIX.unpack_from(found) != (Opcode.FOOTER, 20):
        raise Damage('the file is cut off or its end is damaged: there is no footer', size)
    footer = rec.parse(Footer.read, found[rec.PREFIX.size :])
    end = footer.summary_start or at
    if not len(rec.MAGIC) + rec.DATA_END_BYTES <= end <= at:
        raise Damage(f'the footer says that the summary begins at byte {footer.summary_start}', at)
    file.seek(end - rec.DATA_END_BYTES)
    data_end = file.read(rec.DATA_END_BYTES)
    summary = file.read(at - end)
    if footer.summary_crc and crc32(found[:-4], crc32(summary)) != footer.summary_crc:
        raise Damage('the summary fails its checksum', end)
    if rec.PREFIX.unpack_from(data_end) != (Opcode.DATA_END, 4):
        raise Damage('the data does not end where the summary begins', end)
    crc = rec.parse(DataEnd.read, data_end[rec.PREFIX.size :]).data_section_crc
    tail = Tail(end - rec.DATA_END_BYTES, crc)
    try:
        for opcode, _, first, last in rec.split(summary, SUMMARY_KINDS, 'the summary'):
            _note(opcode, summary[first:last], tail)
    except ValueError as error:
        raise Damage(f'the summary is damaged: {error}', end) from error
    return tail


def _note(opcode: int, body: bytes, tail: Tail) -> None:
    """One record of the summary."""
    if opcode == Opcode.SCHEMA:
        tail.schemas.append(rec.parse(Schema.read, body))
    elif opcode == Opcode.CHANNEL:
        tail.channels.append(rec.parse(Channel.read, body))
    elif opcode == Opcode.CHUNK_INDEX:
        index = rec.parse(ChunkIndex.read, body)
        tail.chunks[index.chunk_start_offset] = index
    elif opcode == Opcode.STATISTICS:
        tail.statistics = found = rec.parse(Statistics.read, body)
        by_topic = sum(found.channel_message_counts.values())
        if found.message_count != by_topic:
            raise ValueError(f'{found.message_count} messages in all, {by_topic} by topic')


def read_front(file: BinaryIO, size: int) -> tuple[int, int]:
    """Byte after the header, and the CRC-32 up to there; Damage unless it is a ROS 2 mcap."""
    front = file.read(len(rec.MAGIC) + rec.PREFIX.size)
    if len(front) < len(rec.MAGIC) + rec.PREFIX.size:
        raise Damage(f'the file is cut off: it has {size} bytes', size)
    if not front.startswith(rec.MAGIC):
        raise Damage('this is no mcap file: it does not begin as one', 0)
    opcode, length = rec.PREFIX.unpack_from(front, len(rec.MAGIC))
    if opcode != Opcode.HEADER or len(front) + length > size:
        raise Damage('the header is damaged or cut off', len(rec.MAGIC))
    body = file.read(length)
    try:
        profile = rec.parse(Header.read, body).profile
    except ValueError as error:
        raise Damage(f'the header is damaged: {error}', len(rec.MAGIC)) from error
    if profile not in PROFILES:
        raise Damage(f'the profile is {ascii(profile)}, not ros2', len(rec.MAGIC))
    return len(front) + length, crc32(front + body)


def scan(file: BinaryIO, first: int, limit: int) -> tuple[list[Unit], Damage | None]:
    """The records by their heads, from ``first`` to ``limit`` or DataEnd; why they end early."""
    units: list[Unit] = []
    at = first
    while at < limit:
        file.seek(at)
        head = file.read(rec.PREFIX.size + rec.MESSAGE_HEAD.size)
        left = limit - at - rec.PREFIX.size
        if left < 0:
            return units, Damage('the file is cut off within a record', at)
        opcode, length = rec.PREFIX.unpack_from(head)
        if opcode == Opcode.DATA_END:
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
    if opcode == Opcode.CHUNK:
        return int(struct.unpack_from('<Q', head, rec.PREFIX.size)[0])
    if opcode == Opcode.MESSAGE:
        return int(rec.MESSAGE_HEAD.unpack_from(head, rec.PREFIX.size)[2])
    if opcode not in DATA_KINDS and opcode < rec.PRIVATE:
        raise ValueError(f'a record of kind {opcode:#04x} has no place here')
    return NO_TIME
