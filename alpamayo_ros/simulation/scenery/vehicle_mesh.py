"""Meshes of the first agents: the car, the pedestrian, the lit lamp of a signal.

The car has body, glass, wheels, head, tail and brake lamps.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.simulation.scenery.mesh_parts import (
    BLACK,
    BRAKE,
    GLASS,
    HEAD,
    PAINT,
    PLAIN,
    RUBBER,
    Rows,
    frustum,
    plate,
)

LENGTH_M, WIDTH_M = 4.5, 1.8


def car_rows() -> Rows:
    """A 4.5 x 1.8 m car, x forward, origin below its middle."""
    out: Rows = []
    end = LENGTH_M / 2
    frustum(out, (-end, end), (0.3, 0.92), (WIDTH_M / 2,) * 2, (-end, end), (1, 1, 1), PAINT)
    frustum(out, (-1.9, 1.2), (0.92, 1.42), (0.85, 0.68), (-1.4, 0.5), GLASS, PLAIN)
    frustum(out, (-1.4, 0.5), (1.42, 1.46), (0.68, 0.68), (-1.4, 0.5), (1, 1, 1), PAINT)
    for x in (-1.4, 1.4):
        wheel = (x - 0.33, x + 0.33)
        frustum(out, wheel, (0, 0.62), (0.92, 0.92), wheel, RUBBER, PLAIN)
    plate(out, -end - 0.02, 0.0, 0.38, (0.8, 0.07), BLACK, PLAIN)
    plate(out, end + 0.02, 0.0, 0.5, (0.7, 0.1), BLACK, PLAIN)
    for y in (-0.62, 0.62):
        plate(out, -end - 0.02, y, 0.71, (0.28, 0.2), BLACK, PLAIN)
        plate(out, -end - 0.04, y, 0.71, (0.25, 0.17), (1, 1, 1), BRAKE)
        plate(out, end + 0.04, y, 0.72, (0.22, 0.1), (0.95, 0.95, 0.85), HEAD)
    plate(out, -1.78, 0.0, 1.06, (0.4, 0.07), (1, 1, 1), BRAKE)
    return out


def car_mesh() -> Float32[np.ndarray, 'n 7']:
    """Vertices (x, y, z, r, g, b, material) of the car."""
    return np.array(car_rows(), np.float32)


def pedestrian_mesh() -> Float32[np.ndarray, 'n 7']:
    """Vertices of somebody 1.75 m tall: legs, a jacket in the agent's colour, a head."""
    out: Rows = []
    skin, trousers = (0.72, 0.55, 0.45), (0.16, 0.17, 0.22)
    leg = (-0.09, 0.09)
    for y in (-0.11, 0.11):
        frustum(out, leg, (0.0, 0.85), (0.08, 0.09), leg, trousers, PLAIN, y)
    frustum(out, (-0.13, 0.13), (0.85, 1.45), (0.2, 0.24), (-0.14, 0.14), (1, 1, 1), PAINT)
    frustum(out, (-0.1, 0.1), (1.5, 1.75), (0.09, 0.08), (-0.09, 0.09), skin, PLAIN)
    return np.array(out, np.float32)


def lamp_mesh() -> Float32[np.ndarray, 'n 7']:
    """Vertices of an upright octagon 0.3 m wide around the origin."""
    out: Rows = []
    ring = [(0.15 * math.cos(a), 0.15 * math.sin(a)) for a in np.arange(8) * math.pi / 4]
    for (y, z), (v, w) in zip(ring, ring[1:] + ring[:1], strict=True):
        out.extend([0.0, *q, 1.0, 1.0, 1.0, PAINT] for q in ((0.0, 0.0), (y, z), (v, w)))
    return np.array(out, np.float32)
