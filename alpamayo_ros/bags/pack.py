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


def unpack(data: bytes | memoryview, compression: str) -> bytes:
    """Bytes of a chunk or message ('', zstd, lz4); ValueError where they cannot be had."""
    try:
        if compression == 'zstd':
            return bytes(zstd.decompress(data))
        if compression == 'lz4':
            return bytes(lz4.frame.decompress(data))
    except BROKEN as error:
        raise ValueError(f'{compression} cannot unpack it ({error})') from error
    if compression:
        raise ValueError(f'it is packed with {ascii(compression)}, which is not zstd or lz4')
    return bytes(data)


def pack(data: bytes | bytearray) -> bytes:
    """zstd at its fastest level."""
    return bytes(zstd.compress(bytes(data), 1))


def unpack_file(source: Path, target: Path) -> None:
    """A file that is packed as a whole (.zstd); ValueError where it is damaged."""
    try:
        with zstd.open(source, 'rb') as packed, target.open('wb') as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    except BROKEN as error:
        raise ValueError(f'zstd cannot unpack it ({error})') from error
