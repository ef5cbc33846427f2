"""The records of an mcap file (https://mcap.dev/spec), as bytes to Python and back.

Parsing never trusts a length: what does not add up is ``Damage``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

from alpamayo_ros.bags.pack import unpack
from alpamayo_ros.bags.parts import Damage

MAGIC = b'\x89MCAP0\r\n'
HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 1, 2, 3, 4, 5, 6
MESSAGE_INDEX, CHUNK_INDEX, ATTACHMENT, ATTACHMENT_INDEX, STATISTICS = 7, 8, 9, 10, 11
METADATA, METADATA_INDEX, SUMMARY_OFFSET, DATA_END = 12, 13, 14, 15
PRIVATE = 0x80  # records of applications begin here; readers skip them
PREFIX = struct.Struct('<BQ')  # opcode, length of what follows
MESSAGE_HEAD = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
FOOTER_BYTES, DATA_END_BYTES = PREFIX.size + 20, PREFIX.size + 4


class Cursor:
    """Reads the fields of one record; struct.error or ValueError where it is too short."""

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self.data, self.at = memoryview(data), at

    def numbers(self, form: str) -> tuple[int, ...]:
        """Little-endian numbers, ``HQ`` and the like."""
        found: tuple[int, ...] = struct.unpack_from('<' + form, self.data, self.at)
        self.at += struct.calcsize('<' + form)
        return found

    def block(self, form: str = 'I') -> memoryview:
        """Bytes after their length."""
        (length,) = self.numbers(form)
        if self.at + length > len(self.data):
            raise ValueError(f'{length} bytes announced, {len(self.data) - self.at} left')
        self.at += length
        return self.data[self.at - length : self.at]

    def text(self) -> str:
        """UTF-8 text after its length."""
        return bytes(self.block()).decode()

    def texts(self) -> dict[str, str]:
        """A map from text to text."""
        inner, out = Cursor(self.block()), {}
        while inner.at < len(inner.data):
            key = inner.text()
            out[key] = inner.text()
        return out

    def end(self) -> None:
        """ValueError unless everything was read."""
        if self.at != len(self.data):
            raise ValueError(f'{len(self.data) - self.at} bytes too many')


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic within the file, and the number of its schema."""

    id: int
    schema: int
    topic: str
    encoding: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A message definition."""

    id: int
    name: str
    encoding: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: times [ns], size and CRC-32 of its records (0: none), and how it is packed."""

    start_ns: int
    end_ns: int
    size: int
    crc: int
    compression: str
    data: memoryview

    def unpack(self) -> bytes:
        """Its records, checked against size and CRC; ValueError says what does not fit."""
        raw = unpack(self.data, self.compression, self.size)
        if self.crc and (found := crc32(raw)) != self.crc:
            raise ValueError(f'its checksum is {found:08x}, not {self.crc:08x}')
        return raw


def chunk(body: bytes | memoryview) -> Chunk:
    """A chunk record."""
    cursor = Cursor(body)
    start, end, size, crc = cursor.numbers('QQQI')
    compression = cursor.text()
    data = cursor.block('Q')
    cursor.end()
    return Chunk(start, end, size, crc, compression, data)


def schema(body: bytes | memoryview) -> Schema:
    """A schema record."""
    cursor = Cursor(body)
    (number,) = cursor.numbers('H')
    found = Schema(number, cursor.text(), cursor.text(), bytes(cursor.block()).decode())
    cursor.end()
    return found


def channel(body: bytes | memoryview) -> Channel:
    """A channel record."""
    cursor = Cursor(body)
    number, kind = cursor.numbers('HH')
    found = Channel(number, kind, cursor.text(), cursor.text())
    cursor.texts()
    cursor.end()
    return found


def message_index(body: bytes | memoryview) -> tuple[int, list[tuple[int, int]]]:
    """Channel, and (log time, offset in the chunk's records) of each of its messages."""
    cursor = Cursor(body)
    (number,) = cursor.numbers('H')
    block = cursor.block()
    cursor.end()
    return number, list(struct.iter_unpack('<QQ', block))


def split(raw: bytes | memoryview, base: int) -> list[tuple[int, int, int, int]]:
    """(opcode, offset, first byte, end) of the records in a chunk; Damage where they do not fit.

    ``base``: where the chunk begins in the file, for the message.
    """
    out, at, size = [], 0, len(raw)
    while at < size:
        if at + PREFIX.size > size:
            raise Damage(f'a chunk ends within a record, {size - at} bytes left over', base)
        opcode, length = PREFIX.unpack_from(raw, at)
        first = at + PREFIX.size
        if first + length > size:
            left = size - first
            raise Damage(f'a record in a chunk claims {length} bytes, {left} are left', base)
        if opcode not in (SCHEMA, CHANNEL, MESSAGE) and opcode < PRIVATE:
            raise Damage(f'a chunk holds a record of kind {opcode:#04x}', base)
        out.append((opcode, at, first, first + length))
        at = first + length
    return out


def record(opcode: int, body: bytes) -> bytes:
    """A whole record."""
    return PREFIX.pack(opcode, len(body)) + body


def packed(text: str | bytes) -> bytes:
    """Bytes or text after their length."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack('<I', len(data)) + data


def packed_map(texts: dict[str, str]) -> bytes:
    """A map from text to text."""
    return packed(b''.join(packed(k) + packed(v) for k, v in texts.items()))
