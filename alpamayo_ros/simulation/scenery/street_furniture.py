"""What stands beside roads of every kind: trees, posts of traffic signals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.scenery.mesh import MeshBuilder

DARK = np.array([0.07, 0.07, 0.075])  # housings of signal heads


def plant(builder: MeshBuilder, xy: Float[np.ndarray, 'n 2'], rng: np.random.Generator) -> None:
    """A tree at each place, 4.5 to 10 m high."""
    n = len(xy)
    h, yaw = rng.uniform(0.7, 1.6, n), rng.uniform(0, 3, n)
    leaves = np.array([0.2, 0.36, 0.16]) * rng.uniform(0.7, 1.3, (n, 1))
    builder.boxes(xy, yaw, 0.0, 2 * h, (0.35, 0.35), np.array([0.33, 0.25, 0.17]))
    builder.boxes(xy, yaw, 1.4 * h, 4 * h, (3 * h, 3 * h), leaves, taper=0.4)
    builder.boxes(xy, yaw, 3.6 * h, 6.5 * h, (2 * h, 2 * h), leaves * 1.1, taper=0.01)


def signal_post(builder: MeshBuilder, x_m: float, y_m: float, heading_rad: float) -> None:
    """The post and the dark box of a traffic signal."""
    at, yaw = np.array([[x_m, y_m]]), np.array([heading_rad])
    builder.boxes(at, yaw, 0.0, 2.6, (0.12, 0.12), np.array([0.4, 0.41, 0.42]))
    builder.boxes(at, yaw, 2.6, 3.8, (0.28, 0.42), DARK)
