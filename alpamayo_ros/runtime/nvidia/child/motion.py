"""Past motion as a released model reads it: poses, their rotations, and tokens of their steps."""

from __future__ import annotations

import numpy as np

LOW_M = np.array([-4.0, -4.0, -10.0], np.float32)  # of one step, x, y, z
HIGH_M = np.array([4.0, 4.0, 10.0], np.float32)
BINS = 1000


def past(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses (H, 3), newest first, x, y [m], heading [rad] in base_link at t0, oldest first.

    Positions (H, 3) with z = 0 and rotations (H, 3, 3) about z, both float32.
    """
    x, y, heading = poses[::-1].astype(np.float64).T
    cos, sin, zero, one = np.cos(heading), np.sin(heading), np.zeros_like(x), np.ones_like(x)
    rotations = np.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], -1)
    positions = np.stack([x, y, zero], -1).astype(np.float32)
    return positions, rotations.reshape(-1, 3, 3).astype(np.float32)


def step_bins(positions: np.ndarray) -> np.ndarray:
    """Bins 0 to 999 of x, y, z of each step (H * 3); the first step is that from the origin."""
    steps = np.diff(positions, axis=0, prepend=np.zeros((1, 3), np.float32))
    scaled = (steps - LOW_M) / (HIGH_M - LOW_M) * np.float32(BINS - 1)
    return np.clip(np.round(scaled).astype(np.int64), 0, BINS - 1).reshape(-1)
