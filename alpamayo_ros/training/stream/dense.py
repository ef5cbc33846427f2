"""More dense truth of a state than ``training.truth`` has: signal, line, way, hazards, objects.

Columns: signal (4, one of), line (there, distance, must stop), way (4 shifts, speed limit),
nearest thing to stop for (there, gap), then seven objects of five values: there, x, y, vx, vy in
base_link.  A value that does not exist is 0.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.simulation.road_rules import OVER_LINE_M
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.types import TrackedObject

SIGNALS = ('', 'red', 'yellow', 'green')
LIGHT_M = LINE_M = 50.0
OBJECT_M, PERSON_M, GAP_M = 45.0, 35.0, 55.0
WAY_M = (5.0, 12.0, 20.0, 30.0)
FASTEST_MPS = 12.0  # nothing here is driven faster, whatever the sign says
PEOPLE, VEHICLES = ('pedestrian', 'cyclist'), ('car', 'van', 'truck', 'emergency_car', 'bus')
OBJECTS, PER_OBJECT = 7, 5  # people (2), a thing, vehicles ahead, left, right, behind
SIGNAL = slice(0, 4)
LINE, LINE_AT, LINE_STOP = 4, 5, 6
WAY, LIMIT = (7, 8, 9, 10), 11
THING, THING_AT = 12, 13
FIRST_OBJECT = 14
COLUMNS = FIRST_OBJECT + OBJECTS * PER_OBJECT


def dense_truth(sim: Simulation) -> Float32[np.ndarray, ' D']:
    """The present instant as one row of ``COLUMNS`` values in SI units."""
    out = np.zeros(COLUMNS, np.float32)
    out[SIGNALS.index(sim.light_ahead(LIGHT_M))] = 1
    away_m, must = sim.line_ahead()
    if -OVER_LINE_M < away_m < LINE_M:
        out[[LINE, LINE_AT, LINE_STOP]] = 1, away_m, must
    way, ahead = sim.actors.way, sim.arc_m + 0.3 * sim.pose.speed_mps + 5.0
    if way.shifts:
        out[list(WAY)] = [way.at(sim.arc_m + m) for m in WAY_M]
    out[LIMIT] = min(sim.road.limit(ahead), way.limit(ahead), FASTEST_MPS)
    bumper_m = sim.arc_m + sim.vehicle.rear_axle_to_front_m
    gaps = [g for c in sim.lane_cars() if -2 < (g := c.rear_arc_m - bumper_m) < GAP_M]
    if gaps:
        out[[THING, THING_AT]] = 1, min(gaps)
    out[FIRST_OBJECT:] = _objects(sim.objects(OBJECT_M)).ravel()
    return out


def _objects(found: list[TrackedObject]) -> Float32[np.ndarray, '7 5']:
    """The nearest object of each place."""
    rows = np.zeros((OBJECTS, PER_OBJECT), np.float32)
    for o in sorted(found, key=lambda o: math.hypot(o.x_m, o.y_m)):
        place = _place(o, bool(rows[0, 0]))
        if place is not None and not rows[place, 0]:
            along, across = math.cos(o.heading_rad), math.sin(o.heading_rad)
            rows[place] = 1, o.x_m, o.y_m, o.speed_mps * along, o.speed_mps * across
    return rows


def _place(o: TrackedObject, second: bool) -> int | None:
    """Which of the seven an object is; None where it does not matter to the ego."""
    angle = math.atan2(o.y_m, o.x_m)
    if o.kind in PEOPLE:
        near = o.x_m >= 1 and math.hypot(o.x_m, o.y_m) <= PERSON_M
        return int(second) if near else None
    if o.kind in VEHICLES:
        if abs(angle) < 0.35:
            return 3
        return 6 if abs(angle) > 2.0 else 4 if angle > 0 else 5
    return 2 if o.x_m >= 1 and abs(angle) <= 0.6 else None
