"""Road works beside their cones: yellow lines along the lane, dug-up asphalt, a warning sign."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alpamayo_ros.simulation.actors.way import of_closure
from alpamayo_ros.simulation.road import LANE_M, Road
from alpamayo_ros.simulation.scenario import Closure
from alpamayo_ros.simulation.scenery.ground_scenery import band, board
from alpamayo_ros.simulation.scenery.mesh import MeshBuilder

YELLOW, DUG = np.array([0.95, 0.72, 0.05]), np.array([0.42, 0.33, 0.24])
STEP_M = 1.5
LINE_M = 0.15
WAY_M = 1.65  # from the middle of the shifted lane to its yellow lines
SIGN_M = 26.0  # before the works
COLOURS = {'r': (0.85, 0.08, 0.06), 'w': (0.95, 0.85, 0.1), 'k': (0.05, 0.05, 0.05)}
DIGGER = ['     r     ', '    rwr    ', '    rwr    ', '   rwkkr   ', '   rwkwr   ', '  rwkkwwr  ',
          '  rwkwkwr  ', ' rwkwkwkwr ', ' rwkwwkkkr ', 'rrrrrrrrrrr']  # fmt: skip


def mark(builder: MeshBuilder, road: Road, closures: Sequence[Closure]) -> None:
    """Paint and dig for every closure."""
    for closure in closures:
        _sign(builder, road, closure.from_m - closure.taper_m - SIGN_M)
        _dig(builder, road, closure)
        _lines(builder, road, closure)


def _along(road: Road, from_m: float, to_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Arcs and points of the lane centre."""
    arcs = np.arange(from_m, to_m + STEP_M, STEP_M)
    return arcs, road.at(arcs)[0]


def _lines(builder: MeshBuilder, road: Road, closure: Closure) -> None:
    way = of_closure(closure)
    if way is None:
        return
    arcs, line = _along(road, way.begin_m, way.end_m)
    shift = np.array([way.at(float(s)) for s in arcs])
    for side in (-WAY_M, WAY_M):
        edge = shift + side
        band(builder, line, edge - LINE_M / 2, edge + LINE_M / 2, 0.026, YELLOW)


def _dig(builder: MeshBuilder, road: Road, closure: Closure) -> None:
    """Bare ground where the lane was, between the cones; nothing where it is only narrower."""
    arcs, line = _along(road, closure.from_m + 5.0, closure.to_m)
    side, room = np.sign(closure.shift_m), abs(closure.shift_m) - 0.5
    if closure.shift_m and (room < 0.6 or len(arcs) < 3):
        return
    outer = -side * (LANE_M / 2 - 0.1)
    inner = outer + side * min(room, LANE_M - 0.3) if side else 0.0
    low, high = (min(outer, inner), max(outer, inner)) if side else (-1.6, 1.6)
    band(builder, line, low, high, 0.024, DUG, jitter=0.12)


def _sign(builder: MeshBuilder, road: Road, arc_m: float) -> None:
    x, y, heading = road.pose(arc_m, -LANE_M / 2 - 2.0)
    board(builder, (x, y), heading, DIGGER, 0.11, 1.2, COLOURS)
