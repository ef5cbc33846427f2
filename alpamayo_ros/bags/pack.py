"""Compression of bags: zstd and lz4, through the libraries that rosbags brings along."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BROKEN = (zstd.ZstdError, RuntimeError, MemoryError, EOFError)
MOST_BYTES = 1 << 28  # a chunk or message that unpacks to more is damaged, or an attack
BLOCK_BYTES = 1 << 20
FREE_SHARE = 0.9  # of a disk that a file may fill when it is unpacked


def unpack(data: bytes | memoryview, compression: str, size: int | None = None) -> bytes:
    """Bytes of a chunk or message ('', zstd, lz4); ValueError where they cannot be had.

    ``size``: the bytes that it is said to hold.  Never more than that, or MOST_BYTES, is unpacked.
    """
    if not compression:
        return _sized(bytes(data), size)
    if compression not in ('zstd', 'lz4'):
        raise ValueError(f'it is packed with {ascii(compression)}, which is not zstd or lz4')
    if size is not None and size > MOST_BYTES:
        raise ValueError(f'it claims {size} bytes, at most {MOST_BYTES} are unpacked')
    try:
        raw = _bounded(bytes(data), compression, MOST_BYTES if size is None else size)
    except BROKEN as error:
        raise ValueError(f'{compression} cannot unpack it ({error})') from error
    return _sized(raw, size)


def _sized(raw: bytes, size: int | None) -> bytes:
    if size is not None and len(raw) != size:
        raise ValueError(f'{size} bytes announced, {len(raw)} found')
    return raw


def _bounded(data: bytes, compression: str, limit: int) -> bytes:
    """All frames of ``data``; ValueError after ``limit`` bytes, with no more of them in memory."""
    parts: list[bytes] = []
    while data or not parts:
        packer = zstd.ZstdDecompressor if compression == 'zstd' else lz4.frame.LZ4FrameDecompressor
        frame = packer()
        part = bytes(frame.decompress(data, limit + 1))
        limit -= len(part)
        if limit < 0:
            raise ValueError('it unpacks to more bytes than it may')
        if not frame.eof:
            raise EOFError('it ends within a frame')
        parts.append(part)
        data = frame.unused_data or b''
    return parts[0] if len(parts) == 1 else b''.join(parts)


def pack(data: bytes | bytearray) -> bytes:
    """zstd at its fastest level."""
    return bytes(zstd.compress(bytes(data), 1))


def unpack_file(source: Path, target: Path) -> None:
    """Unpack a file that is packed as a whole (.zstd); what can be had of it is then there.

    ValueError where it is damaged, or where it would fill the disk.
    """
    left = int(FREE_SHARE * shutil.disk_usage(target.parent).free)
    try:
        with zstd.open(source, 'rb') as packed, target.open('wb') as plain:
            while block := packed.read1(BLOCK_BYTES):  # read() loses what precedes a cut
                left -= len(block)
                if left < 0:
                    raise ValueError(f'unpacked it does not fit on the disk of {target.parent}')
                plain.write(block)
    except BROKEN as error:
        raise ValueError(f'zstd cannot unpack it ({error})') from error
