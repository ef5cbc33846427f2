"""Decoding large images reduced: by which whole factor, and what it does to intrinsics and pixels.

A camera has many more pixels than its views need; a JPEG decoded to a half, a quarter or an eighth
costs less than one decoded whole and resized after.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import RigCamera

REDUCTIONS = (8, 4, 2)
MARGIN = 1.5  # below it the decoder's own reduction would show in the views


def reduction(camera: RigCamera, profile: ModelProfile) -> int:
    """Largest factor that leaves every view at least ``MARGIN`` source pixels a pixel."""
    views = [view for view in profile.views if view.camera == camera.name]
    need = max(v.width / 2 / np.tan(np.radians(v.hfov_deg) / 2) for v in views)
    return next((f for f in REDUCTIONS if camera.matrix[0, 0] / f >= MARGIN * need), 1)


def scaled(matrix: Float[np.ndarray, '3 3'], factor: int) -> Float[np.ndarray, '3 3']:
    """Intrinsics of the reduced image; the centre of the top-left pixel is (0, 0)."""
    out = matrix / factor
    out[2, 2] = 1.0
    out[:2, 2] = (matrix[:2, 2] + 0.5) / factor - 0.5
    return np.asarray(out)


def shrink(image: UInt8[np.ndarray, 'h w 3'], factor: int) -> UInt8[np.ndarray, 'H W 3']:
    """Mean over blocks; the last row and column are repeated where the size is no multiple."""
    if factor == 1:
        return image
    height, width = image.shape[:2]
    pad = ((0, -height % factor), (0, -width % factor), (0, 0))
    whole = np.pad(image, pad, mode='edge')
    rows, columns = whole.shape[0] // factor, whole.shape[1] // factor
    blocks = whole.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3))
    return np.asarray((blocks + 0.5).astype(np.uint8))
