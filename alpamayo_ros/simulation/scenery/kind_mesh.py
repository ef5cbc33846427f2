"""Meshes of the other kinds of agents, and the table of all kinds with their usual sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.simulation.scenery.mesh_parts import (
    BLACK,
    BLUE_LEFT,
    BLUE_RIGHT,
    BRAKE,
    GLASS,
    HEAD,
    PAINT,
    PLAIN,
    RUBBER,
    SHINY,
    STEEL,
    Rows,
    box,
    disc,
    frustum,
    plate,
    side_plate,
    tube,
)
from alpamayo_ros.simulation.scenery.vehicle_mesh import (
    car_mesh,
    car_rows,
    lamp_mesh,
    pedestrian_mesh,
)

Vertices = Float32[np.ndarray, 'n 7']
WHITE, ORANGE, RED = (0.92, 0.92, 0.9), (1.0, 0.36, 0.05), (0.85, 0.08, 0.06)
LAMP_WHITE = (0.95, 0.95, 0.85)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind is drawn.

    Its mesh, the length and width that the mesh has (an agent's own stretch it; 0: never
    stretched), and a radius around its middle that holds it.
    """

    mesh: Callable[[], Vertices]
    length_m: float
    width_m: float
    radius_m: float


def _lamps(out: Rows, rear: float, front: float, y: float, z: float) -> None:
    for side in (-y, y):
        plate(out, rear - 0.02, side, z, (0.13, 0.26), BLACK, PLAIN)
        plate(out, rear - 0.04, side, z, (0.1, 0.22), (1, 1, 1), BRAKE)
        plate(out, front + 0.03, side, z - 0.12, (0.17, 0.13), LAMP_WHITE, HEAD)


def _wheels(out: Rows, xs: tuple[float, ...], y: float, radius: float) -> None:
    for x in xs:
        for side in (-1, 1):
            inner, outer = sorted((side * (y - 0.22), side * y))
            disc(out, x, (inner, outer), radius, (0.0, radius), RUBBER, 8)
            disc(out, x, (side * (y + 0.01),) * 2, radius, (0.0, radius * 0.55), STEEL, 6)


def van_mesh() -> Vertices:
    """A 5.5 x 2.0 m delivery van, 2.4 m high: what hides a pedestrian."""
    out: Rows = []
    frustum(out, (-2.75, 1.3), (0.35, 2.4), (1.0, 0.94), (-2.72, 1.05), (1, 1, 1), PAINT)
    frustum(out, (1.05, 2.75), (0.35, 1.15), (1.0, 0.98), (1.05, 2.6), (1, 1, 1), PAINT)
    frustum(out, (1.05, 2.55), (1.15, 2.1), (0.96, 0.9), (1.05, 1.75), GLASS, PLAIN)
    frustum(out, (0.9, 1.75), (2.1, 2.4), (0.9, 0.9), (0.9, 1.2), (1, 1, 1), PAINT)
    _wheels(out, (-1.75, 1.75), 1.01, 0.36)
    for side in (-0.46, 0.46):
        plate(out, -2.76, side, 1.78, (0.36, 0.3), GLASS, PLAIN)
    plate(out, -2.77, 0.0, 1.3, (0.015, 0.95), BLACK, PLAIN)
    plate(out, -2.78, 0.0, 0.45, (0.95, 0.09), BLACK, PLAIN)
    plate(out, -2.77, 0.3, 0.8, (0.26, 0.06), WHITE, PLAIN)
    plate(out, 2.77, 0.0, 0.5, (0.9, 0.12), BLACK, PLAIN)
    plate(out, 2.72, 0.0, 0.85, (0.5, 0.1), BLACK, PLAIN)
    _lamps(out, -2.75, 2.75, 0.87, 1.0)
    for side in (-1.0, 1.0):
        box(out, (1.9, 2.05), (side * 1.02 - 0.1, side * 1.02 + 0.1), (1.2, 1.5), BLACK)
    return np.array(out, np.float32)


def truck_mesh() -> Vertices:
    """A 9 x 2.5 m lorry, 3.5 m high, its box in the agent's colour."""
    out: Rows = []
    box(out, (-4.5, 4.4), (-1.0, 1.0), (0.6, 0.95), BLACK)
    box(out, (-4.5, 2.3), (-1.25, 1.25), (0.95, 3.5), (1, 1, 1), PAINT)
    frustum(out, (2.55, 4.5), (0.6, 1.75), (1.22, 1.22), (2.55, 4.48), (0.78, 0.8, 0.82), PLAIN)
    frustum(out, (2.55, 4.48), (1.75, 2.6), (1.2, 1.14), (2.6, 4.3), GLASS, PLAIN)
    frustum(out, (2.55, 4.3), (2.6, 3.1), (1.2, 1.1), (2.6, 3.7), (0.78, 0.8, 0.82), PLAIN)
    _wheels(out, (-3.5, -2.45, 3.4), 1.22, 0.5)
    plate(out, -4.51, 0.0, 2.2, (0.02, 1.2), BLACK, PLAIN)
    plate(out, -4.52, 0.0, 0.75, (1.2, 0.13), RED, SHINY)
    for k in range(-3, 4, 2):
        plate(out, -4.53, k * 0.3, 0.75, (0.15, 0.13), WHITE, SHINY)
    _lamps(out, -4.52, 4.5, 1.05, 1.02)
    return np.array(out, np.float32)


def emergency_car_mesh() -> Vertices:
    """The car in white with yellow and blue fields, a light bar and two blue lamps on its roof."""
    out = [[*r[:3], *(min(c, 1.0) * 0.95 for c in r[3:6]), PLAIN] if r[6] == PAINT else r
           for r in car_rows()]  # fmt: skip
    yellow, blue = (0.95, 0.85, 0.1), (0.05, 0.15, 0.6)
    for side in (-0.905, 0.905):
        for k in range(8):
            x = -2.2 + k * 0.55
            side_plate(out, (x, x + 0.55), side, (0.62, 0.88), (yellow, blue)[k % 2], SHINY)
    for k in range(4):
        plate(out, 2.27, -0.3 + 0.2 * k, 0.86, (0.1, 0.05), (yellow, blue)[k % 2], SHINY)
        plate(out, -2.3, -0.3 + 0.2 * k, 0.8, (0.1, 0.09), (yellow, blue)[k % 2], SHINY)
    box(out, (-0.75, -0.35), (-0.66, 0.66), (1.46, 1.52), BLACK)
    box(out, (-0.72, -0.38), (0.14, 0.64), (1.52, 1.72), (1, 1, 1), BLUE_LEFT)
    box(out, (-0.72, -0.38), (-0.64, -0.14), (1.52, 1.72), (1, 1, 1), BLUE_RIGHT)
    for y, lamp in ((0.3, BLUE_LEFT), (-0.3, BLUE_RIGHT)):
        plate(out, 2.28, y, 0.62, (0.1, 0.05), (1, 1, 1), lamp)
    return np.array(out, np.float32)


def cyclist_mesh() -> Vertices:
    """Somebody on a bicycle, 1.8 m long.

    Two wheels, frame, legs, a jacket in the agent's colour, a helmet.
    """
    out: Rows = []
    skin, trousers, frame = (0.72, 0.55, 0.45), (0.14, 0.15, 0.2), (0.5, 0.06, 0.06)
    for x in (-0.55, 0.55):
        disc(out, x, (-0.02, 0.02), 0.34, (0.27, 0.34), RUBBER, 12)
    frustum(out, (-0.55, -0.47), (0.32, 0.9), (0.02, 0.02), (-0.3, -0.2), frame, PLAIN)
    frustum(out, (-0.1, 0.02), (0.3, 0.82), (0.02, 0.02), (0.38, 0.46), frame, PLAIN)
    box(out, (-0.28, 0.42), (-0.02, 0.02), (0.78, 0.84), frame)
    frustum(out, (0.5, 0.57), (0.34, 1.05), (0.02, 0.02), (0.4, 0.46), frame, PLAIN)
    box(out, (0.36, 0.44), (-0.28, 0.28), (1.02, 1.07), BLACK)
    for y, foot in ((-0.13, 0.2), (0.13, 0.42)):
        frustum(out, (-0.02, 0.14), (foot, 0.62), (0.06, 0.07), (0.12, 0.28), trousers, PLAIN, y)
        frustum(out, (0.1, 0.28), (0.6, 0.98), (0.07, 0.08), (-0.24, -0.04), trousers, PLAIN, y)
        frustum(
            out, (0.28, 0.4), (1.04, 1.36), (0.04, 0.05), (0.0, 0.1), (1, 1, 1), PAINT, y * 1.6
        )
    frustum(out, (-0.28, -0.02), (0.95, 1.5), (0.17, 0.21), (-0.06, 0.16), (1, 1, 1), PAINT)
    frustum(out, (0.0, 0.2), (1.52, 1.7), (0.08, 0.08), (0.0, 0.2), skin, PLAIN)
    frustum(out, (-0.04, 0.22), (1.68, 1.8), (0.1, 0.06), (0.0, 0.18), WHITE, SHINY)
    plate(out, -0.3, 0.0, 0.78, (0.06, 0.05), (1, 1, 1), BRAKE)
    plate(out, 0.6, 0.0, 0.88, (0.05, 0.05), LAMP_WHITE, HEAD)
    return np.array(out, np.float32)


def box_mesh() -> Vertices:
    """A cardboard box 0.8 x 0.8 m, 0.6 m high, its flaps open, tape across."""
    out: Rows = []
    card, tape = (0.66, 0.47, 0.27), (0.82, 0.72, 0.5)
    box(out, (-0.4, 0.4), (-0.4, 0.4), (0.0, 0.55), card)
    frustum(out, (-0.4, 0.4), (0.55, 0.68), (0.02, 0.02), (-0.4, 0.4), card, PLAIN, 0.46)
    frustum(out, (-0.4, 0.4), (0.55, 0.66), (0.02, 0.02), (-0.4, 0.4), card, PLAIN, -0.46)
    for x in (-0.405, 0.405):
        plate(out, x, 0.0, 0.3, (0.06, 0.25), tape, PLAIN)
    box(out, (-0.4, 0.4), (-0.06, 0.06), (0.55, 0.556), tape)
    return np.array(out, np.float32)


def tyre_mesh() -> Vertices:
    """A lorry's tyre that lies on the road, 1.0 m wide and 0.3 m high, hollow."""
    out: Rows = []
    dark = (0.07, 0.07, 0.075)
    tube(out, (0.0, 0.0), (0.0, 0.15), (0.5, 0.54), dark, PLAIN)
    tube(out, (0.0, 0.0), (0.15, 0.3), (0.54, 0.44), (0.11, 0.11, 0.115), PLAIN)
    tube(out, (0.0, 0.0), (0.3, 0.302), (0.27, 0.27), (0.3, 0.29, 0.28), PLAIN)
    return np.array(out, np.float32)


def cone_mesh() -> Vertices:
    """A traffic cone 0.75 m high on a black foot, orange with two white bands."""
    out: Rows = []
    box(out, (-0.2, 0.2), (-0.2, 0.2), (0.0, 0.05), BLACK)
    steps = ((0.05, 0.15), (0.25, 0.12), (0.4, 0.095), (0.52, 0.075), (0.64, 0.055), (0.78, 0.03))
    for k, ((z0, r0), (z1, r1)) in enumerate(zip(steps, steps[1:], strict=False)):
        colour = WHITE if k in (1, 3) else ORANGE
        tube(out, (0.0, 0.0), (z0, z1), (r0, r1), colour, SHINY)
    return np.array(out, np.float32)


def barrier_mesh() -> Vertices:
    """A barrier 2.0 m across the lane (0.4 m along it), 1.1 m high.

    Red and white boards with an orange lamp at each end.
    """
    out: Rows = []
    for side in (-0.85, 0.85):
        box(out, (-0.2, 0.2), (side - 0.08, side + 0.08), (0.0, 0.08), BLACK)
        box(out, (-0.03, 0.03), (side - 0.03, side + 0.03), (0.0, 1.1), STEEL)
        box(out, (-0.07, 0.07), (side - 0.09, side + 0.09), (1.1, 1.3), (1.0, 0.6, 0.05), HEAD)
    for z in (0.3, 0.75):
        for k in range(8):
            y = -1.0 + 0.25 * k
            colour = (RED, WHITE)[k % 2]
            box(out, (-0.04, 0.04), (y, y + 0.25), (z, z + 0.28), colour, SHINY)
    return np.array(out, np.float32)


KINDS = {
    'car': Kind(car_mesh, 4.5, 1.8, 3.0),
    'pedestrian': Kind(pedestrian_mesh, 0.0, 0.0, 1.0),
    'lamp': Kind(lamp_mesh, 0.0, 0.0, 1.0),
    'van': Kind(van_mesh, 5.5, 2.0, 3.4),
    'truck': Kind(truck_mesh, 9.0, 2.5, 5.2),
    'emergency_car': Kind(emergency_car_mesh, 4.5, 1.8, 3.0),
    'cyclist': Kind(cyclist_mesh, 1.8, 0.6, 1.2),
    'debris_box': Kind(box_mesh, 0.8, 0.8, 0.8),
    'debris_tyre': Kind(tyre_mesh, 1.0, 1.0, 0.8),
    'cone': Kind(cone_mesh, 0.4, 0.4, 0.4),
    'barrier': Kind(barrier_mesh, 0.4, 2.0, 1.3),
}  # drawn in this order; any other kind is drawn as a car
