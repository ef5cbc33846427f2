"""Cameras mounted a little differently for every drive."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from alpamayo_ros.simulation.sim_rig import SimCamera, sim_cameras
from alpamayo_ros.training.stream.settings import Jitter


def jittered(jitter: Jitter, rng: np.random.Generator) -> list[SimCamera]:
    """The simulated rig with every mount moved and turned by normal deviates."""
    return [_moved(camera, jitter, rng) for camera in sim_cameras()]


def _moved(camera: SimCamera, jitter: Jitter, rng: np.random.Generator) -> SimCamera:
    x, y, z = rng.normal(0.0, jitter.mount_m, 3)
    yaw, pitch = rng.normal(0.0, math.radians(jitter.turn_deg), 2)
    return replace(
        camera,
        x_m=camera.x_m + float(x),
        y_m=camera.y_m + float(y),
        z_m=camera.z_m + float(z),
        yaw_rad=camera.yaw_rad + float(yaw),
        pitch_rad=camera.pitch_rad + float(pitch),
    )
