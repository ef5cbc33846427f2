"""Pictures as rows of patches, in the order that Qwen3-VL's vision tower reads them."""

from __future__ import annotations

import hashlib

import numpy as np

PATCH_PX, CELL, TWICE = 16, 2, 2  # patch, patches a side of a token, the picture twice in time
MIDDLE = np.float32(127.5)


def in_order(images: np.ndarray) -> np.ndarray:
    """(T newest first, V, H, W, 3) to (V * T, H, W, 3): by camera, the oldest first."""
    return np.ascontiguousarray(images[::-1].swapaxes(0, 1)).reshape(-1, *images.shape[2:])


def grid(height: int, width: int) -> tuple[int, int, int]:
    """Patches of a picture in time, height and width."""
    return 1, height // PATCH_PX, width // PATCH_PX


def patches(images: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8, sides multiples of 32, to (N * H/16 * W/16, 1536) float32 in -1 to 1.

    Rows: picture, row and column of 2 x 2 blocks, row and column in the block; columns: colour,
    time (the picture twice), y, x.
    """
    n, height, width, _ = images.shape
    rows, columns = height // (CELL * PATCH_PX), width // (CELL * PATCH_PX)
    x = (images.astype(np.float32) - MIDDLE) / MIDDLE
    x = x.reshape(n, rows, CELL, PATCH_PX, columns, CELL, PATCH_PX, 3)
    x = x.transpose(0, 1, 4, 2, 5, 7, 3, 6)
    x = np.repeat(x[:, :, :, :, :, :, None], TWICE, axis=6)
    return x.reshape(n * rows * columns * CELL * CELL, -1)


def digest(image: np.ndarray) -> bytes:
    """What tells equal pictures from others."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
