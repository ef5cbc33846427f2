"""Random worlds from the suite's ``train`` templates: numbers moved, more actors on their roads.

No template of the splits val and test is drawn.  Of the winding-road worlds a third get the
actors of another family, moved behind or before their own, so that people stand beside road works
and cars beside debris; a third get actors that no template names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import ValidationError

from alpamayo_ros.simulation.actor_models import AnyActor
from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.scenario import ACROSS_M, Closure, Looks, RoadShape, Scenario, Start
from alpamayo_ros.simulation.town_names import TRAINING_MAPS
from alpamayo_ros.training.random_worlds.drawn_actors import bystanders, drawn_actors
from alpamayo_ros.training.random_worlds.varied_actor import varied_actor

COMBINED, DRAWN = 1 / 3, 1 / 3  # shares of the winding-road worlds
JOINED_AT_WORKS = ('crossing', 'debris')  # kinds that stand in another template as they are
JOINED = (*JOINED_AT_WORKS, 'stopped')
TRIES = 20
OTHER_TURNS = 0.75  # share of the town worlds with turns and signal of their own
LEFT_M = 0.3  # a way that is shifted further has no oncoming traffic drawn beside it
SHIFTS_M = ((0.0, 0.0), (-0.6, -0.3), (0.4, 1.35), (0.4, 1.35))  # of road works
STANDERS = 0.3  # share of the winding roads with people beside them
OTHER_BENDS, NO_WAY = 0.6, 0.15  # of the winding roads, of the closed lanes
TURNS = ('', 's', 'l', 'r', 'r', 'l', 'sr', 'rs', 'll', 'ss', 'rl')
SIGNALS = ('', 'any', 'red', 'green', 'turns_red', 'turns_red')
TOWN_GOAL_M, TOWN_MPS = (90.0, 320.0), 2.0  # the way through a town; at least as fast in the mean
FROM_REST = 0.25  # share of the town worlds that begin standing


@lru_cache(maxsize=1)
def _train() -> tuple[Scenario, ...]:
    return tuple(templates('train'))


def random_world(
    rng: np.random.Generator,
    weights: Mapping[str, float] | None = None,
    towns: bool = False,
    plainly: bool = False,
) -> Scenario:
    """A valid scenario of a family drawn at random, by ``weights`` (1 where none is given).

    Without ``towns`` these are left out: their traffic is SUMO's, one a process.  ``plainly``: a
    template as it is.
    """
    found = [s for s in _train() if towns or s.map != 'town']
    families = sorted({s.family for s in found})
    share = np.array([(weights or {}).get(f, 1.0) for f in families])
    family = str(rng.choice(families, p=share / share.sum()))
    own = [s for s in found if s.family == family]
    plain = own[int(rng.integers(len(own)))]
    for _ in range(0 if plainly else TRIES):
        try:
            return Scenario.model_validate(_varied(plain, found, rng).model_dump())
        except ValidationError:  # the numbers do not go together: draw again
            continue
    return plain


def _varied(s: Scenario, found: Sequence[Scenario], rng: np.random.Generator) -> Scenario:
    move = float(rng.uniform(-15, 25))
    changes: dict[str, Any] = {
        'severity': float(rng.uniform(0, 1)),
        'faults': '',
        'looks': _looks(s.looks, rng),
        'start': _start(s, rng),
        'actors': tuple(varied_actor(a, move, rng) for a in s.actors),
    }
    changes |= _surroundings(s, found, rng)
    if s.map == 'winding_road' and rng.random() < STANDERS:
        changes['actors'] += bystanders(rng, _beside(s, rng))
    if s.map == 'winding_road' and (kind := rng.random()) < COMBINED + DRAWN:
        shifts = [c.shift_m for c in changes['road'].closures]
        shifts += [getattr(a, 'detour_m', 0.0) for a in changes['actors']]
        alone = max(shifts, default=0.0) < LEFT_M
        changes['actors'] += (
            _others(s, found, rng)
            if kind < COMBINED
            else drawn_actors(rng, _beside(s, rng), alone, halted=not s.road.closures)
        )
        changes['traffic'] = s.traffic.model_copy(update={'oncoming': False})
    return s.model_copy(update=changes)


def _surroundings(
    s: Scenario, found: Sequence[Scenario], rng: np.random.Generator
) -> dict[str, Any]:
    """Another town, exit or number of lanes, other turns and signals, more or less traffic.

    The way through a town is up to 320 m long, so that it has several junctions; a template's
    ends behind its first.  Of the towns that are evaluated only those that a ``train`` template
    names.
    """
    road: dict[str, Any] = {}
    traffic: dict[str, Any] = {}
    further: dict[str, Any] = {}
    if s.map == 'town':
        known = sorted({t.traffic.town for t in found if t.traffic.town})
        traffic = {
            'town': str(rng.choice([*known, *TRAINING_MAPS])),
            'pedestrians': int(rng.integers(0, 45)),
        }
        traffic['cars'] = int(rng.integers(5, 60))
        if rng.random() < OTHER_TURNS:
            road = {'turns': str(rng.choice(TURNS)), 'signal': str(rng.choice(SIGNALS))}
        goal_m = float(rng.uniform(*TOWN_GOAL_M))
        further = {'goal_m': goal_m, 'duration_s': max(s.duration_s, goal_m / TOWN_MPS)}
    elif s.map == 'roundabout':
        road, traffic = {'exit': int(rng.integers(0, 5))}, {'cars': int(rng.integers(0, 17))}
    elif s.map == 'motorway':
        road = {'lanes': int(rng.choice([1, 2, 2, 3]))}
        traffic = {'cars': int(rng.integers(8, 30 * road['lanes']))}
    elif s.map == 'winding_road':
        road = _winding(s.road, rng)
    return {
        'road': s.road.model_copy(update=road),
        'traffic': s.traffic.model_copy(update=traffic),
        **further,
    }


def _winding(road: RoadShape, rng: np.random.Generator) -> dict[str, Any]:
    """Other bends, and road works that are longer, narrower or shifted to the other side."""
    changes: dict[str, Any] = {'closures': tuple(_closure(c, rng) for c in road.closures)}
    if rng.random() < OTHER_BENDS:
        changes['curvature_scale'] = float(rng.uniform(0.2, 1.25))
        changes['straight'] = bool(rng.random() < 0.2)
    return changes


def _closure(closure: Closure, rng: np.random.Generator) -> Closure:
    length_m = (closure.to_m - closure.from_m) * float(rng.uniform(0.6, 2.0))
    first_m = max(closure.from_m + float(rng.uniform(-15, 25)), 45.0)
    changes: dict[str, Any] = {'from_m': first_m, 'to_m': first_m + length_m}
    if closure.kind == 'construction':
        low, high = SHIFTS_M[int(rng.integers(len(SHIFTS_M)))]
        shift_m = float(rng.uniform(low, high))
        wide_m = float(rng.uniform(2.9, 3.6))
        changes |= {'shift_m': shift_m, 'width_m': (wide_m, wide_m - float(rng.uniform(0, 0.5)))}
    elif rng.random() < NO_WAY:
        changes['shift_m'] = 0.0
    return closure.model_copy(update=changes)


def _beside(s: Scenario, rng: np.random.Generator) -> float:
    """An arc near where a world's own things are."""
    places = [a.at_m for a in s.actors if hasattr(a, 'at_m')]
    places += [c.from_m for c in s.road.closures]
    return (places[0] if places else 90.0) + float(rng.uniform(-5, 45))


def _looks(looks: Looks, rng: np.random.Generator) -> Looks:
    if rng.random() < 0.5:
        return looks
    fog = None if rng.random() < 0.65 else float(rng.uniform(0.01, 0.065))
    rain = 0.0 if rng.random() < 0.6 else float(rng.uniform(0.1, 1.0))
    light = str(rng.choice(['day', 'day', 'dusk', 'night', 'night']))
    return looks.model_copy(update={'fog_1pm': fog, 'rain': rain, 'light': light})


def _start(s: Scenario, rng: np.random.Generator) -> Start:
    """Recovery: off the lane's centre, turned, slower or faster than the template."""
    side, turned = (0.9, 6.0) if s.map == 'winding_road' else (0.5, 3.0)
    change = {
        'offset_m': s.start.offset_m + float(rng.uniform(-side, side)),
        'heading_error_rad': float(np.radians(rng.uniform(-turned, turned))),
        'speed_mps': s.start.speed_mps * float(rng.uniform(0.5, 1.1)),
    }
    if s.map == 'town' and rng.random() < FROM_REST:
        change['speed_mps'] = 0.0
    return s.start.model_copy(update=change)


def _others(
    s: Scenario, found: Sequence[Scenario], rng: np.random.Generator
) -> tuple[AnyActor, ...]:
    """Actors of another family's template on this road, where its own things happen.

    Nobody stands in the lane at road works: where they ended one drive in four at a car that
    cannot be passed, models learnt to stop before works that can.
    """
    kinds = JOINED_AT_WORKS if s.road.closures else JOINED
    fit = [
        (t, tuple(a for a in t.actors if a.kind in kinds))
        for t in found
        if t.map == s.map and t.family != s.family
    ]
    fit = [(t, a) for t, a in fit if a]
    _, chosen = fit[int(rng.integers(len(fit)))]
    move = _beside(s, rng) - chosen[0].at_m
    return tuple(
        varied_actor(a, move, rng) for a in chosen if getattr(a, 'detour_m', 0) <= ACROSS_M
    )
