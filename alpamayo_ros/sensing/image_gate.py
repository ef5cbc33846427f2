"""What an image must look like before a decoder sees a byte of it, and the decoding itself.

OpenCV decodes truncated JPEGs without complaint, and a 3.5 kB JPEG whose header claims 20000 x
20000 pixels costs 15 s and 2.3 GB (docs/design.md, "Images as input from outside"): so headers are
read here first.
"""

from __future__ import annotations

import struct
import zlib
from array import array

import cv2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.pictures.jpeg import decode_jpeg
from alpamayo_ros.sensing.reduction import shrink

Buffer = bytes | bytearray | memoryview | array | UInt8[np.ndarray, ' N']  # type: ignore[type-arg]
CHANNELS = {'rgb8': 3, 'bgr8': 3, 'bgra8': 4, 'mono8': 1}
_CONVERT = {'bgr8': cv2.COLOR_BGR2RGB, 'bgra8': cv2.COLOR_BGRA2RGB, 'mono8': cv2.COLOR_GRAY2RGB}
JPEG_START, PNG_START = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
VIDEO_STARTS = (b'\0\0\0\1', b'\0\0\1')  # start codes (ITU-T H.264 and H.265, annex B)
_SOF = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive Huffman (ITU-T T.81 table B.1)
_OTHER_SOF = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_MAX_SEGMENTS = 256
_MAX_FILL = 256  # bytes before one marker
# A baseline JPEG spends at least one bit on DC and one on the end of each 8 x 8 block.
_PIXELS_PER_BYTE = 8 * 8 * 8 // 2
_OVERHEAD = 65536  # bytes a compressed image may be larger than raw pixels


def decode_raw(
    encoding: str,
    width: int,
    height: int,
    step: int,
    data: Buffer,
    expected: tuple[int, int],
) -> UInt8[np.ndarray, 'H W 3'] | Fault:
    """RGB of a sensor_msgs/Image, else IMG_ENCODING or IMG_SIZE; ``expected``: (width, height)."""
    channels = CHANNELS.get(encoding)
    if channels is None:
        return Fault(Code.IMG_ENCODING, f'{encoding[:32]!r} is none of {sorted(CHANNELS)}', {})
    size = _wrong_size(width, height, expected)
    if size is not None:
        return size
    length = len(data)
    if step < width * channels or length != step * height:
        return Fault(
            Code.IMG_SIZE,
            f'{encoding} {width} x {height}: step {step} (at least {width * channels}), {length} '
            f'bytes (step x height is {step * height})',
            {'step': float(step), 'bytes': float(length)},
        )
    rows = np.frombuffer(data, np.uint8).reshape(height, step)[:, : width * channels]
    image = rows.reshape(height, width, channels) if channels > 1 else rows
    if encoding == 'rgb8':
        return np.ascontiguousarray(image)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), _CONVERT[encoding]), np.uint8)


def decode_compressed(
    data: Buffer, expected: tuple[int, int], reduction: int = 1
) -> UInt8[np.ndarray, 'H W 3'] | Fault:
    """RGB of a sensor_msgs/CompressedImage (JPEG or PNG) that passes ``gate_compressed``.

    ``reduction`` 2, 4 or 8 decodes to a fraction of the size: cheaper than resizing after.  A PNG
    is decoded whole and averaged, for OpenCV drops its last row or column where it does not fit.
    """
    fault = gate_compressed(data, expected)
    if fault is not None:
        return fault
    whole = bytes(data[:8]) == PNG_START
    plain = bytes(_unfilled(np.frombuffer(data, np.uint8).data))
    image = _decode_png(data) if whole else decode_jpeg(plain, expected, reduction)
    if isinstance(image, Fault):
        return image
    if image is not None and whole:
        image = shrink(image, reduction)
    wanted = (-(-expected[1] // reduction), -(-expected[0] // reduction), 3)
    if image is None or image.shape != wanted:
        shape = 'nothing' if image is None else str(image.shape)
        return Fault(Code.IMG_DECODE, f'decoded to {shape}, expected {wanted}', {})
    return image


def _decode_png(data: Buffer) -> UInt8[np.ndarray, 'H W 3'] | Fault | None:
    """RGB, None where OpenCV has no picture to give."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        return Fault(Code.IMG_DECODE, str(error)[:120], {'bytes': float(len(data))})
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def gate_compressed(data: Buffer, expected: tuple[int, int]) -> Fault | None:
    """The fault of a compressed image by its header, end mark and length; None when sound."""
    limit = expected[0] * expected[1] * 4 + _OVERHEAD
    if len(data) > limit:
        return Fault(
            Code.IMG_SIZE, f'{len(data)} bytes, at most {limit}', {'bytes': float(len(data))}
        )
    view = np.frombuffer(data, np.uint8).data
    start = bytes(view[:8])
    if start.startswith(JPEG_START):
        return _gate_jpeg(_unfilled(view), expected)
    if start == PNG_START:
        return _gate_png(view, expected)
    what = 'a piece of H.264 or H.265 video, ' if start.startswith(VIDEO_STARTS) else ''
    text = f'{what}neither JPEG nor PNG: starts with {start.hex()}'
    return Fault(Code.IMG_ENCODING, text, {})


def _unfilled(view: memoryview) -> memoryview:
    """Without zeros at the end: some drivers fill the buffer behind a JPEG's end mark."""
    return view if view[-1] else memoryview(bytes(view).rstrip(b'\0'))


def _marker(view: memoryview, at: int) -> int:
    """Where a marker begins: bytes of 0xFF may fill the place before it (ITU-T T.81 B.1.1.2)."""
    last = min(at + _MAX_FILL, len(view) - 2)
    while at < last and view[at] == view[at + 1] == 0xFF:
        at += 1
    return at


def _gate_jpeg(view: memoryview, expected: tuple[int, int]) -> Fault | None:
    """Walk the segments to the scan; size from SOF, end of image in the last two bytes."""
    at, size = 2, None
    for _ in range(_MAX_SEGMENTS):
        at = _marker(view, at)
        if at + 4 > len(view) or view[at] != 0xFF:
            return _header('a segment is cut off or misplaced', at)
        marker, length = view[at + 1], int.from_bytes(view[at + 2 : at + 4], 'big')
        if length < 2 or at + 2 + length > len(view):
            return _header('a segment is longer than the file', at)
        if marker in _OTHER_SOF:
            return Fault(Code.IMG_ENCODING, f'JPEG process 0x{marker:02x} is not supported', {})
        if marker in _SOF:
            if size is not None or length < 8:
                return _header('more than one frame header, or a short one', at)
            precision, height, width, components = struct.unpack('>BHHB', view[at + 4 : at + 10])
            if precision != 8 or components not in (1, 3):
                message = f'JPEG of {components} components at {precision} bit'
                return Fault(Code.IMG_ENCODING, message, {})
            size = (width, height)
            wrong = _wrong_size(width, height, expected)
            if wrong is not None:
                return wrong
            if marker != 0xC2 and len(view) * _PIXELS_PER_BYTE < width * height:
                return _header('too few bytes for its pixels', at)
        at += 2 + length
        if marker == 0xDA:
            break
    else:
        return _header('too many segments', at)
    if size is None:
        return _header('no frame header before the scan', at)
    if bytes(view[-2:]) != b'\xff\xd9':
        return Fault(Code.IMG_TRUNCATED, 'JPEG without an end mark', {'bytes': float(len(view))})
    return None


def _gate_png(view: memoryview, expected: tuple[int, int]) -> Fault | None:
    """Walk all chunks: lengths, CRCs, one IHDR first, IEND last; 8 bit grey, RGB or RGBA."""
    at = len(PNG_START)
    first = True
    while at + 12 <= len(view):
        length = int.from_bytes(view[at : at + 4], 'big')
        end = at + 12 + length
        if end > len(view):
            return Fault(Code.IMG_TRUNCATED, 'a PNG chunk is cut off', {'bytes': float(len(view))})
        kind = bytes(view[at + 4 : at + 8])
        if (kind == b'IHDR') != first:
            return _header('IHDR is not the first chunk alone', at)
        first = False
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], 'big'):
            return _header(f'CRC of chunk {kind!r} is wrong', at)
        if kind == b'IHDR':
            fault = _gate_ihdr(bytes(view[at + 8 : end - 4]), expected)
            if fault is not None:
                return fault
        if kind == b'IEND':
            return None if end == len(view) else _header('bytes behind the end of the PNG', end)
        at = end
    return Fault(Code.IMG_TRUNCATED, 'PNG without IEND', {'bytes': float(len(view))})


def _gate_ihdr(header: bytes, expected: tuple[int, int]) -> Fault | None:
    if len(header) != 13:
        return _header('IHDR of a wrong length', 8)
    width, height, depth, colour, _, _, interlace = struct.unpack('>IIBBBBB', header)
    if depth != 8 or colour not in (0, 2, 6) or interlace:
        return Fault(Code.IMG_ENCODING, f'PNG of depth {depth}, colour type {colour}', {})
    return _wrong_size(width, height, expected)


def _wrong_size(width: int, height: int, expected: tuple[int, int]) -> Fault | None:
    """IMG_TOO_LARGE for more pixels than agreed, IMG_SIZE for any other difference."""
    if (width, height) == expected:
        return None
    larger = width * height > expected[0] * expected[1]
    return Fault(
        Code.IMG_TOO_LARGE if larger else Code.IMG_SIZE,
        f'{width} x {height} pixels, the rig file says {expected[0]} x {expected[1]}',
        {'width': float(width), 'height': float(height)},
    )


def _header(problem: str, at: int) -> Fault:
    return Fault(Code.IMG_HEADER, f'{problem} (at byte {at})', {'byte': float(at)})
