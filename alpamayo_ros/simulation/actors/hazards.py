"""What of the actors concerns a good driver.

Cars in its way, people about to step into it, things that lie there, oncoming traffic where the
way leads into the other lane.  Nobody's future is used: vehicles keep their lateral speed for a
second, walkers keep walking.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.simulation.actors.actor import ROADWAY_USERS, STATIC, EgoNow, Placed
from alpamayo_ros.simulation.actors.way import Shift, Way, past
from alpamayo_ros.simulation.agents import LaneCar

BEHIND_M, LOOK_M = 5.0, 70.0
VEHICLE_ROOM_M, THING_ROOM_M, PERSON_ROOM_M = 0.2, 0.1, 0.7
MOVING_MPS = 0.3
FORESIGHT_S = 1.2  # so long a vehicle is expected to go on moving sideways
PASSING_S, SPARE_S = 1.5, 1.0
BEFORE_PERSON_M = 0.5
STAND_M = 5.0  # the expert stops this far before a standing car (``expert.GAP_M``)
SIREN_BEHIND_M, SIREN_ASIDE_M, SIREN_RAMP_M = 50.0, -0.4, 10.0


@dataclass(frozen=True, slots=True)
class Hazard:
    """A car to the expert.  ``vehicle``: it really is one; ``final``: it will stay there."""

    car: LaneCar
    vehicle: bool = False
    final: bool = False


def way_now(fixed: Sequence[Shift], placed: Sequence[Placed], ego: EgoNow) -> Way:
    """The shifts of road works, past what lies there, and out of the way of who needs room."""
    shifts = list(fixed)
    standing: dict[int, list[Placed]] = {}
    for p in placed:
        if p.kind == 'emergency_car' and _siren(p, ego):
            last = p.arc_m + SIREN_BEHIND_M
            shifts.append(Shift(p.arc_m - 60.0, last, SIREN_ASIDE_M, SIREN_RAMP_M, (p.id,)))
        elif p.detour_m and p.along_mps < -0.5:
            shifts.append(Shift(p.arc_m - 60.0, p.arc_m + 4.0, p.detour_m, 12.0, (p.id,)))
        elif p.detour_m and p.speed_mps < 0.1:
            standing.setdefault(p.id // 10, []).append(p)
    shifts += [past(group) for group in standing.values()]
    return Way(tuple(shifts))


def _siren(p: Placed, ego: EgoNow) -> bool:
    """An emergency vehicle that comes from behind in the other lane."""
    away = p.arc_m - ego.front_arc_m
    return p.along_mps > 3.0 and p.offset_m > 1.5 and -SIREN_BEHIND_M < away < 12.0


def hazards(placed: Sequence[Placed], way: Way, ego: EgoNow, half_width_m: float) -> list[Hazard]:
    """Who is in the ego's way, as cars of its lane."""
    out = []
    for p in placed:
        if -BEHIND_M < p.arc_m + p.half_m[0] - ego.front_arc_m < LOOK_M:
            found = _hazard(p, p.offset_m - way.at(p.arc_m), ego, half_width_m)
            if found is not None:
                out.append(found)
    for shift in way.across:
        first = _first_through(shift, placed, ego)
        if ego.front_arc_m < shift.begin_m + 2.0 and first:
            out.append(Hazard(LaneCar(shift.begin_m + STAND_M, 0.0, 0.0, 0.0, first)))
    return out


def _hazard(p: Placed, aside_m: float, ego: EgoNow, half_width_m: float) -> Hazard | None:
    along, across = p.half_m
    rear, touch = p.arc_m - along, across + half_width_m
    if p.kind in STATIC and abs(p.across_mps) < MOVING_MPS:
        if abs(aside_m) > touch + THING_ROOM_M:
            return None
        speed, braking = max(p.along_mps, 0.0), p.acceleration_mps2
        return Hazard(LaneCar(rear, 0.0, speed, braking, (p.id,)), False, p.final)
    if p.kind in ROADWAY_USERS:
        later = aside_m + p.across_mps * FORESIGHT_S
        if min(abs(aside_m), abs(later)) > touch + VEHICLE_ROOM_M and aside_m * later > 0:
            return None
        speed, braking = max(p.along_mps, 0.0), p.acceleration_mps2
        return Hazard(LaneCar(rear, 0.0, speed, braking, (p.id,)), p.along_mps > -0.5, p.final)
    if _steps_in(p, aside_m, touch, ego):
        return Hazard(LaneCar(rear - BEFORE_PERSON_M, 0.0, 0.0, 0.0, (p.id,)))
    return None


def _steps_in(p: Placed, aside_m: float, touch_m: float, ego: EgoNow) -> bool:
    """Whether somebody is in the way, or will be before the ego has passed."""
    room = touch_m + PERSON_ROOM_M
    leaving = aside_m * p.across_mps > 0
    if abs(aside_m) < room:
        return not (leaving and abs(aside_m) > touch_m + 0.1)
    if leaving or abs(p.across_mps) < 0.1:
        return False
    enters_s = (abs(aside_m) - room) / abs(p.across_mps)
    return enters_s < ego.reaches_in_s(p.arc_m) + PASSING_S + SPARE_S


def _first_through(shift: Shift, placed: Sequence[Placed], ego: EgoNow) -> tuple[int, ...]:
    """Ids of those who come the other way and would be met in the other lane."""
    found = []
    through_s = (shift.end_m - ego.front_arc_m) / max(shift.speed_mps * 0.8, 2.0)
    for p in placed:
        if p.kind in ROADWAY_USERS and p.along_mps < -0.5 and p.offset_m > 0:
            there = p.arc_m + p.along_mps * through_s
            if p.arc_m > shift.begin_m and there < shift.end_m + 10.0:
                found.append(p.id)
    return tuple(found)


def limit(way: Way, sign_mps: float | None, arc_m: float) -> float:
    """The speed that the way and the signs allow at ``arc_m``."""
    return min(way.limit(arc_m), math.inf if sign_mps is None else sign_mps)
