"""Cameras of a foreign vehicle, named by where they look."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from alpamayo_ros.config_file import described
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Mount, RigCamera
from alpamayo_ros.statuses import ConfigError

YAW_OF = {
    'front': 0.0,
    'front_left': 60.0,
    'front_right': -60.0,
    'rear_left': 120.0,
    'rear': 180.0,
    'rear_right': -120.0,
}


def names_of(mounts: Mapping[str, Float[np.ndarray, '4 4']]) -> dict[str, str]:
    """A name for each camera (optical frame in base_link): the nearest direction of ``YAW_OF``.

    Where several are nearest to the same one, the best keeps the plain name and the others are
    numbered, ``front_2``; equally good ones keep their order.
    """
    found = {key: _nearest(_yaw(mount)) for key, mount in mounts.items()}
    out: dict[str, str] = {}
    for key in sorted(found, key=lambda key: found[key][1]):
        name, number = found[key][0], sum(found[k][0] == found[key][0] for k in out)
        out[key] = f'{name}_{number + 1}' if number else name
    return {key: out[key] for key in mounts}


def _yaw(base_from_optical: Float[np.ndarray, '4 4']) -> float:
    """Where a camera looks, about the vertical [rad], positive to the left."""
    body = base_from_optical[:3, :3] @ BODY_FROM_OPTICAL.T
    return math.atan2(body[1, 0], body[0, 0])


def _nearest(yaw_rad: float) -> tuple[str, float]:
    """The nearest direction's name, and how far it is away [rad], in steps of a microradian."""
    off = {n: abs(math.remainder(math.radians(d) - yaw_rad, math.tau)) for n, d in YAW_OF.items()}
    name = min(off, key=lambda n: off[n])
    return name, round(off[name], 6)


def camera(
    name: str,
    base_from_optical: Float[np.ndarray, '4 4'],
    matrix: tuple[float, ...],
    size: tuple[int, int],
    rate_hz: float,
) -> RigCamera:
    """A rig camera for a mount, intrinsics and a size (width, height).

    The mount is the optical frame in base_link, intrinsics row by row.  ConfigError says which
    number no camera of a rig has.
    """
    body = base_from_optical[:3, :3] @ BODY_FROM_OPTICAL.T
    x, y, z = (float(v) for v in base_from_optical[:3, 3])
    try:
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
                yaw_rad=_yaw(base_from_optical),
            ),
            rate_hz=rate_hz,
        )
    except ValidationError as error:
        said = described(error.errors()[0], RigCamera)
        raise ConfigError(f'camera {name} as it is calibrated cannot be used: {said}') from error
