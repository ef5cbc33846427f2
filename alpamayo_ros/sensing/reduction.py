"""Decoding large images reduced: by which whole factor, and what it does to intrinsics and pixels.

A camera has many more pixels than its views need; a JPEG decoded to a half, a quarter or an eighth
costs less than one decoded whole and resized after.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.profile import ModelProfile, View
from alpamayo_ros.sensing.rig import RigCamera

REDUCTIONS = (8, 4, 2)
MARGIN = 1.5  # below it the decoder's own reduction would show in the views


def reduction(camera: RigCamera, profile: ModelProfile) -> int:
    """Largest factor that leaves every view at least ``MARGIN`` source pixels a pixel.

    Pictures that a model wants resampled in a way of its own are decoded whole.
    """
    views = [view for view in profile.views if view.camera == camera.name]
    if any(view.resample == 'bicubic' for view in views):
        return 1
    density = min(_density(view, camera) for view in views)
    return next((f for f in REDUCTIONS if density / f >= MARGIN), 1)


def _density(view: View, camera: RigCamera) -> float:
    """Source pixels of ``camera`` a pixel of ``view``."""
    if view.projection == 'native':
        return min(camera.width / view.width, camera.height / view.height)
    focal_px = view.width / 2 / np.tan(np.radians(view.hfov_deg) / 2)
    return float(camera.matrix[0, 0] / focal_px)


def scaled(matrix: Float[np.ndarray, '3 3'], factor: float | int) -> Float[np.ndarray, '3 3']:
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
