"""What a picture's message says of itself: its camera, and by ``format`` its channels.

The format is written by compressed_image_transport as ``<encoding>; <codec> compressed <stored
encoding>``, by drivers as the codec alone (``jpeg``).  Without a stored encoding the first one is
stored.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.image_gate import CHANNELS, JPEG_START, decode_compressed
from alpamayo_ros.sensing.rig import RigCamera

STORED = {*CHANNELS, 'rgba8', '8UC1', '8UC3', '8UC4'}  # what a JPEG or PNG of 8 bit can hold


@runtime_checkable
class Bridge(Protocol):
    """What converts encodings beyond the core's list: cv_bridge, where ROS has it."""

    def imgmsg_to_cv2(self, message: Any, encoding: str) -> Any:
        """Pixels of a sensor_msgs/Image."""
        ...

    def cv2_to_imgmsg(self, image: Any, encoding: str) -> Any:
        """A sensor_msgs/Image of pixels."""
        ...


def foreign(camera: RigCamera, message: Any) -> Fault | None:
    """CAM_IDENTITY where an image is of another frame than its camera's."""
    if message.header.frame_id == camera.frame_id:
        return None
    text = f'expected frame_id {camera.frame_id!r}, got {message.header.frame_id!r}'
    return Fault(Code.CAM_IDENTITY, f'{camera.name}: {text}', {'camera': camera.name})


def gate_format(text: str) -> Fault | None:
    """IMG_ENCODING where the stored channels are no picture: a Bayer mosaic, depth, 16 bit."""
    stored = stored_encoding(text)
    if not stored or stored in STORED:
        return None
    return Fault(
        Code.IMG_ENCODING, f'{text[:64]!r} stores {stored[:32]!r}, none of {sorted(STORED)}'
    )


def stored_encoding(text: str) -> str:
    """Encoding that lies in the data, '' where the format does not say."""
    first, separator, rest = text.partition(';')
    named = rest.strip().partition('compressed')[2].strip()
    if named:
        return named
    return first.strip() if separator or first.strip().startswith('bayer') else ''


def swapped(text: str) -> bool:
    """Whether red and blue changed places on the way into the data."""
    return 'compressed rgb' in text


def is_jpeg(message: Any) -> bool:
    """Whether a sensor_msgs/CompressedImage holds a JPEG; False for a sensor_msgs/Image."""
    return not hasattr(message, 'encoding') and bytes(message.data[:3]) == JPEG_START


def decode_message(
    message: Any, expected: tuple[int, int], reduction: int = 1
) -> UInt8[np.ndarray, 'H W 3'] | Fault:
    """RGB of a sensor_msgs/CompressedImage, else a fault; see ``decode_compressed``.

    ``compressed rgb8`` was handed to the encoder in that order, which takes blue first.
    """
    fault = gate_format(message.format)
    if fault is not None:
        return fault
    image = decode_compressed(message.data, expected, reduction)
    if isinstance(image, Fault) or not swapped(message.format):
        return image
    return np.ascontiguousarray(image[..., ::-1])
