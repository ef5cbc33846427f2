"""From points in base_link to pixels of a camera as it is mounted, through its real lens.

    pixel = K distort(p / p_z),  p = (optical from base_link) point

The frames are those of ``rig``: base_link on the ground under the rear axle, optical frames by
REP 103.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.sensing.distortion import distort
from alpamayo_ros.sensing.rig import RigCamera

NEAR_M = 0.5  # points nearer to the image plane than this are not seen


def project(
    camera: RigCamera, points: Float[np.ndarray, 'n 3']
) -> tuple[Float[np.ndarray, 'n 2'], Bool[np.ndarray, ' n']]:
    """Pixels of ``points`` [m], and which of them are ahead of the camera and within its lens.

    The pixel of a point that is not seen is NaN.  A seen point may lie outside the image.
    """
    inverse = np.linalg.inv(camera.base_from_optical)
    optical = points @ inverse[:3, :3].T + inverse[:3, 3]
    seen = np.isfinite(optical).all(axis=1) & (optical[:, 2] > NEAR_M)
    depth = np.where(seen, optical[:, 2], 1.0)
    ray_x, ray_y = (np.where(seen, optical[:, i] / depth, 0.0) for i in (0, 1))
    x, y, ok = distort(ray_x, ray_y, camera.distortion)
    seen = seen & ok
    pixels = np.stack([x, y, np.ones(len(points))], axis=1) @ camera.matrix.T
    return np.where(seen[:, None], pixels[:, :2], np.nan), seen


def on_ground(points: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'n 3']:
    """Points (x, y) of base_link on a flat ground, z = 0."""
    return np.column_stack([points, np.zeros(len(points))])
