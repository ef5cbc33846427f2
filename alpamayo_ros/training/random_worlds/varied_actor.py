"""An actor of a template with other numbers: moved, faster, another vehicle, hidden by another.

What no template varies (who is hidden by what, whether lamps work, how askew a car stands) is
drawn over what the actor models allow, or a model takes the templates' habit for a law.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from alpamayo_ros.simulation.actor_models import AnyActor, Crossing
from alpamayo_ros.training.random_worlds.drawn_actors import OCCLUDERS, sets_off_s, speed_on_foot

SCALED = {  # factor of an actor's number, from and to
    'speed_mps': (0.75, 1.3), 'gap_m': (0.8, 1.6), 'ahead_s': (0.8, 1.4), 'move_s': (0.85, 1.3),
    'brake_mps2': (0.7, 1.2), 'hold_s': (0.5, 1.6), 'trigger_m': (0.35, 1.9), 'meet_m': (0.8, 1.4),
}  # fmt: skip
FIRST_M = 30.0  # nothing stands nearer to the start of the road
STAY = 0.15  # of those who cross: they stand at the roadside, as many people do
ANY_SPEED = 0.8  # of those who cross on foot: they walk or run as fast as anybody
ANY_TIME = 0.6  # of those who cross: they set off as late as anybody
HIDDEN, OTHER_OCCLUDER = 0.12, 0.6  # of those whom nothing hides, of those whom something does
OCCLUDER_M = (0.7, 5.0)  # how far before somebody the vehicle stands that hides them
OTHER_VEHICLE, DARK, ASKEW = 0.35, 0.2, 0.3  # of vehicles, of leaders, of what stands in the lane
ASKEW_RAD = 0.6


def varied_actor(actor: AnyActor, move_m: float, rng: np.random.Generator) -> AnyActor:
    """The actor ``move_m`` further along the road, everything else of it drawn around it."""
    change: dict[str, Any] = {}
    for name, (low, high) in SCALED.items():
        value = getattr(actor, name, None)
        if value is not None:
            f = float(rng.uniform(low, high))
            change[name] = tuple(v * f for v in value) if isinstance(value, tuple) else value * f
    if hasattr(actor, 'at_m'):
        change['at_m'] = max(actor.at_m + move_m, FIRST_M)
    change |= _crossing(actor, rng) if isinstance(actor, Crossing) else _vehicle(actor, rng)
    return actor.model_copy(update=change)


def _crossing(actor: Crossing, rng: np.random.Generator) -> dict[str, Any]:
    """Side, speed, whether somebody sets off at all, and what hides them."""
    change: dict[str, Any] = {'side': str(rng.choice(['left', 'right']))}
    if actor.who == 'pedestrian' and rng.random() < ANY_SPEED:
        change['speed_mps'] = speed_on_foot(rng)
    if rng.random() < ANY_TIME:
        change['ahead_s'] = sets_off_s(rng)
    if rng.random() < STAY:
        change |= {'stays': True, 'halts_s': 0.0, 'turns_back': False}
    if rng.random() < (OTHER_OCCLUDER if actor.occluder else HIDDEN):
        change['occluder'] = str(rng.choice(OCCLUDERS))
        change['occluder_m'] = float(rng.uniform(*OCCLUDER_M))
    return change


def _vehicle(actor: AnyActor, rng: np.random.Generator) -> dict[str, Any]:
    """Another vehicle, dark lamps, askew; what is passed keeps the width that the way allows."""
    change: dict[str, Any] = {}
    if getattr(actor, 'detour_m', 0.0):
        return change
    if getattr(actor, 'vehicle', 'emergency_car') != 'emergency_car':
        if rng.random() < OTHER_VEHICLE:
            change['vehicle'] = str(rng.choice(OCCLUDERS))
    if actor.kind == 'braking_leader' and rng.random() < DARK:
        change['lamps'] = False
    if actor.kind == 'stopped' and rng.random() < ASKEW:
        change['turned_rad'] = float(rng.uniform(-ASKEW_RAD, ASKEW_RAD))
    return change
