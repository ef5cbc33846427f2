"""The records of an mcap file (https://mcap.dev/spec), by the mcap library, and their frames.

The library trusts lengths: a text that ends early comes out shorter.  Here nothing is trusted, and
every contradiction is a ValueError.  Bytes behind the fields that the library knows are allowed: a
later version of the format may have put them there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import TypeVar
from zlib import crc32

from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Chunk, McapRecord

from alpamayo_ros.bags.pack import unpack

MAGIC = b'\x89MCAP0\r\n'
PRIVATE = 0x80  # records of applications begin here; readers skip them
PREFIX = struct.Struct('<BQ')  # opcode, length of what follows
MESSAGE_HEAD = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
FOOTER_BYTES, DATA_END_BYTES = PREFIX.size + 20, PREFIX.size + 4
R = TypeVar('R', bound=McapRecord)


class _Stream(ReadDataStream):
    def read(self, length: int) -> bytes:
        """As many bytes as announced; ValueError where there are fewer."""
        data = super().read(length)
        if len(data) != length:
            raise ValueError(f'{length} bytes announced, {len(data)} left')
        return data

    def read_prefixed_string(self) -> str:
        """A text; what is no UTF-8 comes as ``\\xe9``: such a name costs its topic only."""
        return self.read(self.read4()).decode(errors='backslashreplace')


def parse(read: Callable[[ReadDataStream], R], body: bytes) -> R:
    """A record by its ``read`` of the library, ``Channel.read`` and the like."""
    try:
        return read(_Stream(BytesIO(body)))
    except (McapError, struct.error) as error:
        raise ValueError('it ends within its fields') from error


def encoded(*records: McapRecord) -> bytes:
    """Whole records, one after the other."""
    builder = RecordBuilder()
    for record in records:
        record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]


def unpacked(chunk: Chunk) -> bytes:
    """The records of a chunk, checked against its size and CRC; ValueError says what differs."""
    raw = unpack(chunk.data, chunk.compression, chunk.uncompressed_size)
    wanted = chunk.uncompressed_crc
    if wanted and (found := crc32(raw)) != wanted:
        raise ValueError(f'its checksum is {found:08x}, not {wanted:08x}')
    return raw


def split(raw: bytes, known: tuple[Opcode, ...], what: str) -> list[tuple[int, int, int, int]]:
    """(opcode, offset, first byte, end) of each record in the bytes of ``what``.

    ValueError where they do not fit, or for a kind neither ``known`` nor an application's.
    """
    out, at, size = [], 0, len(raw)
    while at < size:
        first = at + PREFIX.size
        if first > size:
            raise ValueError(f'{what} ends within a record, {size - at} bytes left over')
        opcode, length = PREFIX.unpack_from(raw, at)
        end = first + length
        if end > size:
            left = size - first
            raise ValueError(f'a record in {what} claims {length} bytes, {left} are left')
        if opcode not in known and opcode < PRIVATE:
            raise ValueError(f'{what} holds a record of kind {opcode:#04x}')
        out.append((opcode, at, first, end))
        at = end
    return out
