"""JPEG decoding that says when the data are damaged.

libjpeg-turbo goes on behind a wrong bit and fills what is left with grey; OpenCV keeps its warning
to itself.  simplejpeg decodes with the same library to the same bytes and passes the warning on.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from jaxtyping import UInt8

from alpamayo_ros.faults import Code, Fault

END = b'\xff\xd9'


def decode_jpeg(
    data: bytes, expected: tuple[int, int], reduction: int = 1
) -> UInt8[np.ndarray, 'h w 3'] | Fault:
    """RGB at 1/``reduction`` (1, 2, 4, 8) of ``expected`` (width, height); IMG_TORN, IMG_DECODE.

    Zeros between the coded data and the end mark, with which some drivers fill their buffers, are
    no damage.  ``data`` has passed ``image_gate.gate_compressed``.
    """
    try:
        return _decode(data, expected, reduction)
    except ValueError as error:
        warning = str(error)
    try:
        shown = _decode(data, expected, reduction, strict=False)
    except ValueError as error:
        return Fault(Code.IMG_DECODE, str(error)[:120], {'bytes': float(len(data))})
    return damage(data, expected, warning) or shown


def damage(data: bytes, expected: tuple[int, int], warning: str) -> Fault | None:
    """IMG_TORN with libjpeg's words, None where the zeros of a buffer explain them."""
    unpadded = _unpadded(data)
    try:
        if len(unpadded) == len(data):
            raise ValueError(warning)
        _decode(unpadded, expected, 8)
    except ValueError as error:
        return Fault(Code.IMG_TORN, str(error)[:120], {'bytes': float(len(data))})
    return None


def _decode(
    data: bytes, size: tuple[int, int], reduction: int, strict: bool = True
) -> UInt8[np.ndarray, 'h w 3']:
    """ValueError for a warning where ``strict``, and for what cannot be decoded at all."""
    width, height = (pixels // reduction for pixels in size)
    scale = {'min_factor': reduction, 'min_width': width, 'min_height': height}
    scaled = scale if reduction > 1 else {}
    return np.asarray(simplejpeg.decode_jpeg(data, 'RGB', strict=strict, **scaled), np.uint8)


def _unpadded(data: bytes) -> bytes:
    """Without the zeros before the end mark; a zero behind 0xFF is data (ITU-T T.81 B.1.1.5)."""
    body = data[: -len(END)].rstrip(b'\0')
    return body + (b'\0' if body.endswith(b'\xff') else b'') + END
