"""Streams of pictures as instants of 10 Hz, and the pictures themselves as arrays."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing.image_gate import decode_compressed
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.training.clips.clip import SPACING_NS, Picture, Pictures
from alpamayo_ros.units import MS

NEAR_NS = 60 * MS  # half of 10 Hz and 10 ms of jitter: what is further away is of another instant
EARLY_NS = 30 * MS  # so much before it is due a picture stands for an instant: cameras of 12 Hz
QUALITY = 90  # of JPEGs that are made here, as those of simulated recordings


def grouped(stream: Iterable[tuple[str, int, Picture]], reference: str) -> Iterator[Pictures]:
    """Each picture of the reference camera with the nearest one of every other camera.

    ``stream``: camera, stamp and picture in the order of time.
    """
    waiting: deque[tuple[int, Picture]] = deque()
    others: dict[str, deque[tuple[int, Picture]]] = defaultdict(deque)
    for camera, stamp_ns, picture in stream:
        (waiting if camera == reference else others[camera]).append((stamp_ns, picture))
        if camera != reference:
            oldest_ns = (waiting[0][0] if waiting else stamp_ns) - 2 * NEAR_NS
            while others[camera][0][0] < oldest_ns:
                others[camera].popleft()
        while waiting and waiting[0][0] + NEAR_NS < stamp_ns:
            yield _together(*waiting.popleft(), reference, others)
    while waiting:
        yield _together(*waiting.popleft(), reference, others)


def _together(
    stamp_ns: int, picture: Picture, reference: str, others: dict[str, deque[tuple[int, Picture]]]
) -> Pictures:
    found = {reference: picture}
    for camera, kept in others.items():
        while kept and kept[0][0] < stamp_ns - NEAR_NS:
            kept.popleft()
        near = [one for one in kept if one[0] <= stamp_ns + NEAR_NS]
        if near:
            found[camera] = min(near, key=lambda one: abs(one[0] - stamp_ns))[1]
    return Pictures(stamp_ns, found)


def spaced(instants: Iterable[Pictures]) -> Iterator[Pictures]:
    """At most one instant every 0.1 s, whatever the rate of the cameras."""
    due_ns = None
    for one in instants:
        if due_ns is None:
            due_ns = one.stamp_ns
        if one.stamp_ns >= due_ns - EARLY_NS:
            yield one
            while due_ns <= one.stamp_ns + EARLY_NS:
                due_ns += SPACING_NS


def decoded(found: Pictures, rig: Rig) -> dict[str, UInt8[np.ndarray, 'h w 3']]:
    """RGB by camera; ValueError where a picture is damaged or has another size than its camera."""
    out = {}
    for name, picture in found.by_camera.items():
        camera = rig.camera(name)
        size = (camera.width, camera.height)
        image = decode_compressed(picture, size) if isinstance(picture, bytes) else picture
        if isinstance(image, Fault):
            raise ValueError(f'{name} at {found.stamp_ns} ns: {image.code.name} {image.message}')
        if image.shape != (size[1], size[0], 3):
            text = f'{name} at {found.stamp_ns} ns is {image.shape[1]} x {image.shape[0]} pixels'
            raise ValueError(f'{text}; its rig says {size[0]} x {size[1]}')
        out[name] = image
    return out


def encoded(picture: Picture) -> bytes:
    """As it was recorded, or as JPEG."""
    if isinstance(picture, bytes):
        return picture
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not ok:
        raise ValueError(f'OpenCV cannot encode a picture of {picture.shape}')
    return bytes(data.tobytes())
