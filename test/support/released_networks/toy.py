"""Weights by name, prompt, pictures and noise of a tiny released model; numpy alone.

Both sides make them: our tests, and the vendor's class in an interpreter of its own.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

ROWS, COLUMNS = 3, 4  # visual tokens of a picture
CANDIDATES, POINTS, BUDGET = 3, 64, 24
START, PICTURE, END = 151_652, 151_655, 151_653
FUTURE_START = 155_681
HEAD, WRITER = 'vlm.lm_head.weight', 'action_out_proj.weight'
READER = 'action_in_proj.encoder.trunk.0.weight'
PICTURES = 3
GAIN = 1.5  # of matrices, over what keeps the size of numbers: inputs must matter


def weight(name: str, shape: tuple[int, ...], ends_after: int | None = None) -> np.ndarray:
    """A tensor of the checkpoint, from its name.

    ``ends_after``: a word instead of which the text ends, where it would be chosen.
    """
    drawn = np.random.default_rng(crc32(name.encode())).standard_normal(shape, np.float32)
    if len(shape) == 1:
        return drawn * 0.1 + np.float32(not name.endswith('bias'))
    if 'embed' in name and 'patch' not in name:
        return drawn
    found = drawn * np.float32(GAIN / np.sqrt(np.prod(shape[1:])))
    if name == READER:  # else ten steps through frequencies of 100 amplify rounding by millions
        found /= np.tile(np.logspace(0, 2, 10, dtype=np.float32), 6)
    if name == WRITER:
        found *= np.float32(0.2)
    if name == HEAD and ends_after is not None:
        found[FUTURE_START] = found[ends_after] * np.float32(1.5)
    return found


def prompt() -> list[int]:
    """Words round three pictures."""
    found, words = [], np.random.default_rng(1).integers(0, 151_000, 40).tolist()
    for picture in range(PICTURES):
        found += [*words[picture * 5 : picture * 5 + 5], START, *[PICTURE] * (ROWS * COLUMNS), END]
    return found + words[20:]


def pictures() -> np.ndarray:
    """(N, H, W, 3) uint8, distinct."""
    shape = (PICTURES, 32 * ROWS, 32 * COLUMNS, 3)
    return np.random.default_rng(2).integers(0, 256, shape, np.uint8)


def noise() -> np.ndarray:
    """(K, points, 2) float32."""
    return np.random.default_rng(3).standard_normal((CANDIDATES, POINTS, 2), np.float32)


def poses() -> np.ndarray:
    """x, y [m], heading [rad] (16, 3), oldest first, 0.1 s apart, frame of the last: a curve."""
    t = np.arange(-15, 1) * 0.1
    heading = 0.05 * 8 * t
    return np.stack([8 * t + 0.3 * t * t, 8 * t * heading / 2, heading], -1)
