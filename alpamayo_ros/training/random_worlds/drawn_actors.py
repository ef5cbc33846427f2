"""Actors drawn from what the actor models can say, not from a template.

The suite's ``train`` templates have few kinds of things at a lane's edge.  Here a road gets one
group of any kind, at any place, of any side; the room that a good driver takes past it follows
from widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from alpamayo_ros.simulation.actor_models import (
    AnyActor,
    Crossing,
    Debris,
    LostLoad,
    OncomingActor,
    Stopped,
    Vehicle,
)

EGO_HALF_M = 0.93
HALF_M = {'debris_box': 0.45, 'debris_tyre': 0.35, 'car': 0.92, 'emergency_car': 0.92,
          'van': 1.0, 'truck': 1.2}  # fmt: skip
ROOM_M = (0.4, 0.7)  # between the ego and what it passes
LEAST_DETOUR_M, MOST_DETOUR_M = 0.3, 2.8
STAY, RUN, LATE = 0.3, 0.45, 0.25  # of those who cross, on foot, or who set off
AHEAD_S, TOO_LATE_S = (2.1, 5.0), (0.9, 2.1)  # of the ego when somebody sets off
WALKS_MPS, RUNS_MPS, CYCLES_MPS = (0.9, 2.0), (2.0, 3.6), (2.2, 5.0)
ALONG_M, ASIDE_M = (-50.0, 50.0), (1.8, 9.0)  # where bystanders are
T = TypeVar('T')
Thing = Literal['debris_box', 'debris_tyre']
Occluder = Literal['car', 'van', 'truck']
THINGS: tuple[Thing, ...] = ('debris_box', 'debris_tyre')
VEHICLES: tuple[Vehicle, ...] = ('car', 'car', 'van', 'truck', 'emergency_car')
LOADED: tuple[Vehicle, ...] = ('truck', 'van', 'car')
OCCLUDERS: tuple[Occluder, ...] = ('car', 'van', 'truck')
EDGE_M, VERGE_M = (0.7, 2.0), (1.3, 2.3)  # how far aside things lie and vehicles stand


def drawn_actors(
    rng: np.random.Generator, at_m: float, oncoming: bool = True, halted: bool = True
) -> tuple[AnyActor, ...]:
    """One group of actors near the arc ``at_m``.

    ``oncoming``: the other lane is not needed; ``halted``: somebody may stand in this one.
    """
    makers = [_things, _standing, _load, _person]
    makers += [_halted] if halted else []
    makers += [_oncoming] if oncoming else []
    return _one(rng, makers)(rng, at_m)


def bystanders(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """People and cyclists who stand beside the road near ``at_m``, and stay there."""
    return tuple(
        Crossing(
            kind='crossing',
            who='cyclist' if rng.random() < 0.2 else 'pedestrian',
            side='left' if rng.random() < 0.5 else 'right',
            at_m=max(at_m + _between(rng, *ALONG_M), 20.0),
            from_m=_between(rng, *ASIDE_M),
            stays=True,
            count=int(rng.integers(1, 3)),
            apart_m=_between(rng, 0.6, 2.0),
        )
        for _ in range(int(rng.integers(1, 4)))
    )


def speed_on_foot(rng: np.random.Generator) -> float:
    """A walk or, in the share ``RUN``, a run [m/s].

    In the picture somebody who runs looks like somebody near: a model that has met nobody faster
    than 2 m/s put a running child 3 m ahead where it was 8 m ahead.
    """
    return _between(rng, *(RUNS_MPS if rng.random() < RUN else WALKS_MPS))


def sets_off_s(rng: np.random.Generator) -> float:
    """How far ahead of the ego somebody sets off; ``LATE`` so near that braking may not do.

    Without these nobody near and in the way is ever seen from a moving car: a good driver has
    stopped before.
    """
    return _between(rng, *(TOO_LATE_S if rng.random() < LATE else AHEAD_S))


def _one(rng: np.random.Generator, of: Sequence[T]) -> T:
    return of[int(rng.integers(len(of)))]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _side(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _detour(rng: np.random.Generator, kind: str, aside_m: float) -> float:
    """The shift, to the other side, that leaves room past what stands ``aside_m`` of the lane."""
    needed = EGO_HALF_M + HALF_M[kind] + _between(rng, *ROOM_M) - abs(aside_m)
    return -float(np.sign(aside_m) * np.clip(needed, LEAST_DETOUR_M, MOST_DETOUR_M))


def _things(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """A row of boxes or tyres at an edge of the lane."""
    what, count = _one(rng, THINGS), int(rng.integers(1, 5))
    aside = _side(rng) * _between(rng, *EDGE_M)
    row: dict[str, Any] = {'count': count, 'apart_m': _between(rng, 1, 7)}
    return (
        Debris(
            kind='debris',
            what=what,
            at_m=at_m,
            offset_m=aside,
            detour_m=_detour(rng, what, aside),
            **row,
        ),
    )


def _standing(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """A vehicle half aside, which can be passed, and now and then somebody beside it."""
    vehicle = _one(rng, VEHICLES)
    aside = -_between(rng, *VERGE_M)
    car = Stopped(
        kind='stopped',
        vehicle=vehicle,
        at_m=at_m,
        offset_m=aside,
        lamps=bool(rng.random() < 0.5),
        turned_rad=_between(rng, -0.15, 0.15),
        bend=bool(rng.random() < 0.3),
        detour_m=_detour(rng, vehicle, aside),
    )
    return (car, *_person(rng, at_m + _between(rng, 5, 12))) if rng.random() < 0.3 else (car,)


def _halted(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """One to three vehicles that stand in the lane and cannot be passed, in whatever weather."""
    return (
        Stopped(
            kind='stopped',
            vehicle=_one(rng, VEHICLES),
            at_m=at_m,
            offset_m=_between(rng, -0.5, 0.5),
            lamps=bool(rng.random() < 0.4),
            turned_rad=_between(rng, -0.15, 0.15),
            bend=bool(rng.random() < 0.2),
            count=int(rng.choice([1, 1, 1, 2, 3])),
        ),
    )


def _load(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """A vehicle ahead loses something, in the lane or at its edge."""
    what, aside = _one(rng, THINGS), 0.0
    if rng.random() < 0.5:
        aside = _side(rng) * _between(rng, *EDGE_M)
    slides = _between(rng, 3, 7)
    return (
        LostLoad(
            kind='lost_load',
            vehicle=_one(rng, LOADED),
            what=what,
            gap_m=_between(rng, 11, 28),
            speed_mps=_between(rng, 4.5, 8),
            trigger_m=max(at_m - 45.0, 15.0),
            offset_m=aside,
            slides_mps2=slides,
            detour_m=_detour(rng, what, aside) if aside else 0.0,
        ),
    )


def _oncoming(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """A vehicle that comes towards us, in its lane or over the middle line."""
    offset = _between(rng, 1.7, 3.6)
    over = max(3.0 - offset, 0.0)
    return (
        OncomingActor(
            kind='oncoming',
            vehicle=_one(rng, VEHICLES),
            trigger_m=max(at_m - 50.0, 5.0),
            meet_m=_between(rng, 60, 130),
            speed_mps=_between(rng, 5, 12),
            offset_m=offset,
            detour_m=-min(0.55, 0.3 + 0.2 * over) if over else 0.0,
        ),
    )


def _person(rng: np.random.Generator, at_m: float) -> tuple[AnyActor, ...]:
    """Somebody who crosses, stops, turns back or never sets off, perhaps behind a parked vehicle.

    Were all to cross, whoever stands at the roadside would be read as crossing.
    """
    cycles, hidden, stays = rng.random() < 0.25, rng.random() < 0.35, rng.random() < STAY
    walks = not stays
    return (
        Crossing(
            kind='crossing',
            who='cyclist' if cycles else 'pedestrian',
            side='left' if rng.random() < 0.5 else 'right',
            at_m=at_m,
            from_m=_between(rng, 2.2, 7),
            speed_mps=_between(rng, *CYCLES_MPS) if cycles else speed_on_foot(rng),
            ahead_s=sets_off_s(rng),
            stays=stays,
            halts_s=_between(rng, 1, 3) if walks and rng.random() < 0.2 else 0.0,
            turns_back=walks and rng.random() < 0.15,
            occluder=_one(rng, OCCLUDERS) if hidden else '',
            count=int(rng.integers(1, 3)),
        ),
    )
