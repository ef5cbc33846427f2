"""Rain on the way to the camera and on its lens: streaks and drops, painted over a picture.

A drop shows what lies around it upside down.  Everything is a function of camera and time, so
the same drive gives the same bytes; index lists are made once, a picture costs a copy of a few
per cent of its pixels.
"""

from __future__ import annotations

import functools
import zlib

import numpy as np
from jaxtyping import Float, Int, UInt8

STREAKS_A_PIXEL = 0.0032  # at full rain
DROPS_A_PIXEL = 0.00018
SHEETS = 8  # patterns of streaks, one after the other
DROP_LIFE_S, GROUPS = 2.4, 3  # a third of the drops is replaced every 0.8 s
EPOCHS = 8  # patterns of drops before they repeat


def wet_lens(
    image: UInt8[np.ndarray, 'h w 3'],
    camera: str,
    rain: float,
    sky: Float[np.ndarray, ' 3'],
    time_s: float,
) -> None:
    """Paint streaks in the colour of the ``sky`` and drops into ``image``; ``rain`` 0..1."""
    size, number = image.shape[:2], zlib.crc32(camera.encode())
    flat = image.reshape(-1, 3)
    tenth = round(time_s * 10)
    at = streaks(size, number + tenth % SHEETS, rain)
    veil = (sky * 255 * 0.38 + 14).astype(np.uint16)
    flat[at] = ((flat[at].astype(np.uint16) * 5 >> 3) + veil).clip(0, 255)
    for group in range(GROUPS):
        epoch = int((tenth / 10 + group * DROP_LIFE_S / GROUPS) / DROP_LIFE_S) % EPOCHS
        to, source, shade = drops(size, number + 31 * group + 101 * epoch, rain)
        flat[to] = flat[source].astype(np.uint16) * shade[:, None] >> 6


@functools.lru_cache(maxsize=128)
def streaks(size: tuple[int, int], seed: int, rain: float) -> Int[np.ndarray, ' n']:
    """Pixels (flat, row by row) of thin slanted lines."""
    height, width = size
    rng = np.random.default_rng([seed, 41])
    count = int(STREAKS_A_PIXEL * rain * height * width)
    x, y = rng.uniform(0, width, count), rng.uniform(-0.1 * height, height, count)
    length = rng.uniform(0.03, 0.11, count) * height
    slant = rng.uniform(-0.05, 0.14, count) + (x / width - 0.5) * 0.25
    along = np.arange(int(0.11 * height) + 1)
    rows = (y[:, None] + along).astype(int)
    columns = (x[:, None] + slant[:, None] * along).astype(int)
    keep = (along < length[:, None]) & (rows >= 0) & (rows < height)
    keep &= (columns >= 0) & (columns < width)
    return np.unique(rows[keep] * width + columns[keep])


@functools.lru_cache(maxsize=256)
def drops(
    size: tuple[int, int], seed: int, rain: float
) -> tuple[Int[np.ndarray, ' n'], Int[np.ndarray, ' n'], UInt8[np.ndarray, ' n']]:
    """Pixels under drops, the pixel each of them shows, and its brightness in 64ths."""
    height, width = size
    rng = np.random.default_rng([seed, 42])
    count = max(int(DROPS_A_PIXEL * rain * height * width / GROUPS), 1)
    to, source, shade = [], [], []
    for _ in range(count):
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        r = rng.uniform(0.012, 0.035) * height + 1.0
        y, x = np.mgrid[int(cy - r) : int(cy + r) + 1, int(cx - r) : int(cx + r) + 1]
        u, v = (x - cx) / r, (y - cy) / (r * 1.15)
        away = np.hypot(u, v)
        inside = (away < 1) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        sx = np.clip(cx - u * (1 + 2 * away) * r * 2.2, 0, width - 1).astype(int)
        sy = np.clip(cy - v * (1 + 2 * away) * r * 2.2, 0, height - 1).astype(int)
        bright = np.clip(64 * (1.08 - 0.55 * np.clip(away - 0.55, 0, 1) - 0.18 * v), 20, 80)
        to.append((y * width + x)[inside])
        source.append((sy * width + sx)[inside])
        shade.append(bright[inside])
    return np.concatenate(to), np.concatenate(source), np.concatenate(shade).astype(np.uint8)
