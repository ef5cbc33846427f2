"""What the pictures show, as objects of the grammar with their distance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.metrics.speed_change import STANDING_MPS
from alpamayo_ros.simulation.agents import SIGNAL, Agent
from alpamayo_ros.simulation.drive import facts
from alpamayo_ros.simulation.drive.visibility import ids_of
from alpamayo_ros.training.annotation.binding import ONCOMING_RAD, Cause, Question

DISTANCES_M = (5, 10, 15, 20, 25, 30, 40, 50)
ONCOMING_M, PARKED_M, BESIDE_M, LIES_M = 45.0, 30.0, 25.0, 60.0
PARKED_ASIDE_M, ROADSIDE_M = 1.8, 6.0
ORDER = (  # what is said first, after what binds
    'red_light', 'yellow_light', 'green_light', 'crossing_pedestrian', 'crossing_cyclist',
    'standing_vehicle', 'braking_vehicle', 'moving_vehicle', 'siren_behind', 'siren_oncoming',
    'siren_ahead', 'closed_lane', 'debris', 'road_works', 'oncoming_vehicle', 'circling_vehicle',
    'joining_vehicle', 'waiting_pedestrian', 'waiting_cyclist', 'parked_vehicle',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """An object of the grammar: value, distance from the front bumper, and whose id it is."""

    value: str
    distance_m: float
    id: int


def seen_ids(question: Question, pixels: Mapping[int, int]) -> frozenset[int]:
    """Ids that the pictures show; ``SIGNAL`` where a lamp of the present colour is among them."""
    return ids_of(question.sim, pixels)


def objects(question: Question, seen: frozenset[int], cause: Cause) -> list[Seen]:
    """At most three: what binds first, then by importance and distance; one of each kind."""
    found = [s for s in _all(question) if s.id in seen]
    found.sort(key=lambda s: (s.id not in cause.ids, ORDER.index(s.value), s.distance_m))
    kinds = {s.value: s for s in reversed(found)}
    return [s for s in found if kinds[s.value] is s][:3]


def distance_words(distance_m: float) -> str:
    """The nearest distance of the grammar."""
    return f'{min(DISTANCES_M, key=lambda d: abs(d - distance_m))} m'


def _all(question: Question) -> Iterator[Seen]:
    sim = question.sim
    light = sim.light_ahead(facts.LIGHT_M)
    if light:
        yield Seen(f'{light}_light', _line_m(question), SIGNAL)
    for a in question.agents.values():
        x, y = question.place(a)
        value = _value(question, a, x, y)
        if value:
            away = x - a.length_m / 2 if x > 0 else -x - sim.vehicle.length_m
            away = sim.truth().leader_gap_m if a.id == question.leader_id else away
            yield Seen(value, max(away, 0.0), a.id)


def _line_m(question: Question) -> float:
    """Bumper to the stop line of the light ahead: the least range at which it counts [m]."""
    for metres in range(0, int(facts.LIGHT_M) + 1):
        if question.sim.light_ahead(float(metres)):
            return float(metres)
    return facts.LIGHT_M


def _value(question: Question, a: Agent, x: float, y: float) -> str:
    """What an agent is called from where we are; '' for one that is not worth a word."""
    if a.kind in ('pedestrian', 'cyclist'):
        return _person(question, a, x)
    if a.kind in ('debris_box', 'debris_tyre', 'cone', 'barrier'):
        names = {'cone': 'road_works', 'barrier': 'closed_lane'}
        return names.get(a.kind, 'debris') if 0 < x < LIES_M and abs(y) < ROADSIDE_M else ''
    turned = math.remainder(a.heading_rad - question.sim.pose.heading_rad, 2 * math.pi)
    if a.kind == 'emergency_car':
        towards = abs(turned) > math.pi / 2
        return 'siren_behind' if x < 0 else 'siren_oncoming' if towards else 'siren_ahead'
    if a.id == question.leader_id:
        state = facts.lead(question.sim.truth()) - {'present'}
        return f'{state.pop()}_vehicle' if state else ''
    return _other_vehicle(question, a, x, y, turned)


def _other_vehicle(question: Question, a: Agent, x: float, y: float, turned: float) -> str:
    sim_map = question.sim.map
    named = {i: cause.name for cause in question.causes for i in cause.ids}
    if named.get(a.id) == 'circling':
        return 'circling_vehicle'
    if named.get(a.id) == 'joining' and x < BESIDE_M:
        return 'joining_vehicle'
    moves = a.speed_mps > STANDING_MPS
    if moves and abs(turned) > ONCOMING_RAD and 0 < x < ONCOMING_M and sim_map != 'motorway':
        return 'oncoming_vehicle'
    aside = PARKED_ASIDE_M < abs(y) < ROADSIDE_M and 0 < x < PARKED_M
    return 'parked_vehicle' if aside and not moves else ''


def _person(question: Question, a: Agent, x: float) -> str:
    """Crossing or waiting, near the way ahead as ``simulation.drive.facts`` has it."""
    sim = question.sim
    line, heading, _ = sim.road.at(sim.arc_m + np.arange(0.0, facts.PERSON_M))
    away = np.hypot(line[:, 0] - a.x_m, line[:, 1] - a.y_m)
    k = int(away.argmin())
    binds = any(a.id in cause.ids for cause in question.causes)
    if x < 0 or (away[k] > facts.PERSON_ASIDE_M and not binds):
        return ''
    across = abs(math.sin(a.heading_rad - float(heading[k]))) > math.sin(facts.CROSSING_RAD)
    walks = across and a.speed_mps > facts.CROSSING_MPS
    return f'{"crossing" if walks else "waiting"}_{a.kind}'
