"""Pictures and past motions that the comparison and the stored figures are made of."""

from __future__ import annotations

import numpy as np


def pictures(views: int, seed: int) -> np.ndarray:
    """(4 newest first, V, 320, 576, 3): blocks of colour, all different."""
    rows = np.random.default_rng(seed).integers(0, 256, (4, views, 20, 36, 3), np.uint8)
    return rows.repeat(16, 2).repeat(16, 3)


def levels(patches: np.ndarray) -> np.ndarray:
    """Patches in -1 to 1 as the bytes that they were made of."""
    return np.rint(patches * np.float32(127.5) + np.float32(127.5)).astype(np.uint8)


def sample(shown: np.ndarray) -> list[int]:
    """101 of the bytes, first to last, evenly apart."""
    places = np.linspace(0, shown.size - 1, 101).astype(np.int64)
    return [int(value) for value in shown.reshape(-1)[places]]


def curve(last_mps: float = 8.6, yaw_rate_rps: float = 0.4) -> np.ndarray:
    """Poses (16, 3), newest first, of a curve driven with 0.6 m/s2, in base_link at t0."""
    back = -0.1 * np.arange(16)
    speed, heading = last_mps + 0.6 * back, yaw_rate_rps * back
    x = np.concatenate([[0.0], np.cumsum(-0.1 * (speed * np.cos(heading))[:-1])])
    y = np.concatenate([[0.0], np.cumsum(-0.1 * (speed * np.sin(heading))[:-1])])
    return np.stack([x, y, heading], -1)


def histories() -> dict[str, np.ndarray]:
    """A curve, a car at rest, one beyond the bins of its steps, and noise of 10 mm."""
    noisy = curve()
    noisy[1:, :2] += np.random.default_rng(5).normal(0.0, 0.01, (15, 2))
    return {
        'curve': curve(),
        'rest': np.zeros((16, 3)),
        'beyond_bins': curve(60.0, 0.0),
        'noise_10_mm': noisy,
    }
