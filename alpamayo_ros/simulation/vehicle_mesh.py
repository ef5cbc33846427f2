"""What agents are drawn with: the car (body, glass, wheels, head, tail and brake lamps), the
pedestrian, the lit lamp of a signal.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

LENGTH_M, WIDTH_M = 4.5, 1.8
PLAIN, PAINT, BRAKE = (
    0.0,
    1.0,
    2.0,
)  # material: own colour, the agent's colour, lamp that lights up
SIDE_SHADE = (0.75, 0.85, 0.65, 0.8)
GLASS, RUBBER, BLACK = (0.1, 0.13, 0.16), (0.04, 0.04, 0.04), (0.05, 0.05, 0.055)

Rows = list[list[float]]
Range = tuple[float, float]


def _frustum(
    out: Rows,
    x: Range,
    z: Range,
    half_width: Range,
    x_top: Range,
    colour: tuple[float, ...],
    material: float,
) -> None:
    """A box whose top rectangle may be smaller than its bottom one; origin in the car's middle."""
    (y, y_top), ((x0, x1), (u0, u1)) = half_width, (x, x_top)
    low = [(x0, -y, z[0]), (x1, -y, z[0]), (x1, y, z[0]), (x0, y, z[0])]
    top = [(u0, -y_top, z[1]), (u1, -y_top, z[1]), (u1, y_top, z[1]), (u0, y_top, z[1])]
    for i in range(4):
        j = (i + 1) % 4
        shaded = [c * SIDE_SHADE[i] for c in colour]
        out.extend(
            [*q, *shaded, material] for q in (low[i], low[j], top[j], low[i], top[j], top[i])
        )
    out.extend([*q, *colour, material] for q in (top[0], top[1], top[2], top[0], top[2], top[3]))


def _plate(
    out: Rows,
    x: float,
    y: float,
    z: float,
    half: Range,
    colour: tuple[float, ...],
    material: float,
) -> None:
    """An upright rectangle across the car."""
    for a, b in ((-1, -1), (1, -1), (1, 1), (-1, -1), (1, 1), (-1, 1)):
        out.append([x, y + a * half[0], z + b * half[1], *colour, material])


def car_mesh() -> Float32[np.ndarray, 'n 7']:
    """Vertices (x, y, z, r, g, b, material) of a 4.5 x 1.8 m car, x forward, origin below its
    middle.
    """
    out: Rows = []
    end = LENGTH_M / 2
    _frustum(out, (-end, end), (0.3, 0.92), (WIDTH_M / 2,) * 2, (-end, end), (1, 1, 1), PAINT)
    _frustum(out, (-1.9, 1.2), (0.92, 1.42), (0.85, 0.68), (-1.4, 0.5), GLASS, PLAIN)
    _frustum(out, (-1.4, 0.5), (1.42, 1.46), (0.68, 0.68), (-1.4, 0.5), (1, 1, 1), PAINT)
    for x in (-1.4, 1.4):
        _frustum(
            out, (x - 0.33, x + 0.33), (0, 0.62), (0.92, 0.92), (x - 0.33, x + 0.33), RUBBER, PLAIN
        )
    _plate(out, -end - 0.02, 0.0, 0.38, (0.8, 0.07), BLACK, PLAIN)
    _plate(out, end + 0.02, 0.0, 0.5, (0.7, 0.1), BLACK, PLAIN)
    for y in (-0.62, 0.62):
        _plate(out, -end - 0.02, y, 0.71, (0.28, 0.2), BLACK, PLAIN)
        _plate(out, -end - 0.04, y, 0.71, (0.25, 0.17), (1, 1, 1), BRAKE)
        _plate(out, end + 0.04, y, 0.72, (0.22, 0.1), (0.95, 0.95, 0.85), PLAIN)
    _plate(out, -1.78, 0.0, 1.06, (0.4, 0.07), (1, 1, 1), BRAKE)
    return np.array(out, np.float32)


def pedestrian_mesh() -> Float32[np.ndarray, 'n 7']:
    """Vertices of somebody 1.75 m tall: legs, a jacket in the agent's colour, a head."""
    out: Rows = []
    skin, trousers = (0.72, 0.55, 0.45), (0.16, 0.17, 0.22)
    for y in (-0.11, 0.11):
        _shifted(out, y, (-0.09, 0.09), (0.0, 0.85), (0.08, 0.09), trousers, PLAIN)
    _frustum(out, (-0.13, 0.13), (0.85, 1.45), (0.2, 0.24), (-0.14, 0.14), (1, 1, 1), PAINT)
    _frustum(out, (-0.1, 0.1), (1.5, 1.75), (0.09, 0.08), (-0.09, 0.09), skin, PLAIN)
    return np.array(out, np.float32)


def _shifted(
    out: Rows,
    y_m: float,
    x: Range,
    z: Range,
    half_width: Range,
    colour: tuple[float, ...],
    material: float,
) -> None:
    """A frustum moved to the side."""
    rows: Rows = []
    _frustum(rows, x, z, half_width, x, colour, material)
    out.extend([r[0], r[1] + y_m, *r[2:]] for r in rows)


def lamp_mesh() -> Float32[np.ndarray, 'n 7']:
    """Vertices of an upright octagon 0.3 m wide around the origin."""
    out: Rows = []
    ring = [(0.15 * math.cos(a), 0.15 * math.sin(a)) for a in np.arange(8) * math.pi / 4]
    for (y, z), (v, w) in zip(ring, ring[1:] + ring[:1], strict=True):
        out.extend([0.0, *q, 1.0, 1.0, 1.0, PAINT] for q in ((0.0, 0.0), (y, z), (v, w)))
    return np.array(out, np.float32)
