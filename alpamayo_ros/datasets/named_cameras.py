"""Cameras of a foreign vehicle, named by where they look."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Mount, RigCamera

YAW_OF = {
    'front': 0.0,
    'front_left': 60.0,
    'front_right': -60.0,
    'rear_left': 120.0,
    'rear': 180.0,
    'rear_right': -120.0,
}


def camera(
    base_from_optical: Float[np.ndarray, '4 4'],
    matrix: tuple[float, ...],
    size: tuple[int, int],
    rate_hz: float,
) -> RigCamera:
    """A rig camera for a mount, intrinsics and a size (width, height).

    The mount is the optical frame in base_link, intrinsics row by row; the name is the one of
    ``YAW_OF`` whose direction is nearest.
    """
    body = base_from_optical[:3, :3] @ BODY_FROM_OPTICAL.T
    yaw = math.atan2(body[1, 0], body[0, 0])
    name = min(YAW_OF, key=lambda n: abs(math.remainder(math.radians(YAW_OF[n]) - yaw, math.tau)))
    x, y, z = (float(v) for v in base_from_optical[:3, 3])
    return RigCamera(
        name=name,
        topic=f'camera/{name}/image_raw/compressed',
        info_topic=f'camera/{name}/camera_info',
        frame_id=f'camera_{name}_optical',
        width=size[0],
        height=size[1],
        camera_matrix=matrix,
        mount=Mount(
            x_m=x,
            y_m=y,
            z_m=z,
            roll_rad=math.atan2(body[2, 1], body[2, 2]),
            pitch_rad=math.asin(max(-1.0, min(1.0, -float(body[2, 0])))),
            yaw_rad=yaw,
        ),
        rate_hz=rate_hz,
    )
