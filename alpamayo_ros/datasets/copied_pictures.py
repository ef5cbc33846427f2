"""Pictures that a converter copies into a bag: looked at first, and their calibration fitted."""

from __future__ import annotations

from pathlib import Path

import cv2

from alpamayo_ros.bags.parts import is_pointer
from alpamayo_ros.sensing.image_gate import gate_compressed

SAME_SHAPE = 0.01  # of the factor: pictures are resized to whole pixels


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture; ValueError names a file that is none."""
    _refuse(path)
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f'{path}: no picture; expected JPEG or PNG')
    return image.shape[1], image.shape[0]


def read_picture(path: Path, size: tuple[int, int]) -> bytes:
    """The bytes of a picture that a vehicle would take; ValueError names the file otherwise."""
    _refuse(path)
    data = path.read_bytes()
    if (fault := gate_compressed(data, size)) is not None:
        raise ValueError(f'{path}: no picture of {size[0]} x {size[1]}: {fault.message}')
    return data


def _refuse(path: Path) -> None:
    """ValueError for a file that stands in a picture's place."""
    if path.stat().st_size == 0:
        raise ValueError(f'{path}: an empty file, no picture; copy it from the data set again')
    if is_pointer(path):
        raise ValueError(f'{path}: a Git LFS pointer, not the picture; type git lfs pull')


def resized(
    matrix: tuple[float, ...], listed: tuple[int, int], real: tuple[int, int], channel: str
) -> tuple[float, ...]:
    """A camera matrix (row by row) for pictures of another size; ValueError for another shape.

    Pixel centres lie at whole numbers: u' = f (u + 1/2) - 1/2.
    """
    fx, fy = real[0] / listed[0], real[1] / listed[1]
    if abs(fx / fy - 1) > SAME_SHAPE:
        raise ValueError(
            f'{channel}: pictures are {real[0]} x {real[1]}, its calibration is of {listed[0]} x '
            f'{listed[1]}: not the same shape, so they were cut; expected pictures as recorded'
        )
    if real == listed:
        return matrix
    a, skew, cx, d, b, cy, *rest = matrix
    return (a * fx, skew * fx, fx * (cx + 0.5) - 0.5, d * fy, b * fy, fy * (cy + 0.5) - 0.5, *rest)
