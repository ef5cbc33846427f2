"""A template is not one scene: every seed moves its places and changes its speeds a little."""

from __future__ import annotations

from typing import Any

import numpy as np

from alpamayo_ros.simulation.actor_models import AnyActor
from alpamayo_ros.simulation.scenario import Closure, Scenario

SHIFT_M = 6.0  # everything together, so that what belongs together stays together
SPEED = 0.08  # share
MAPS = ('winding_road',)  # elsewhere places belong to junctions and ramps


def vary(scenario: Scenario, seed: int) -> Scenario:
    """The scene of ``seed``; the scenario itself where it has no actors and no road works."""
    if scenario.map not in MAPS or not (scenario.actors or scenario.road.closures):
        return scenario
    rng = np.random.default_rng([seed, 38])
    shift, factor = float(rng.uniform(-SHIFT_M, SHIFT_M)), 1 + float(rng.uniform(-SPEED, SPEED))
    actors = tuple(_actor(a, shift, factor) for a in scenario.actors)
    closures = tuple(_closure(c, shift) for c in scenario.road.closures)
    road = scenario.road.model_copy(update={'closures': closures})
    return scenario.model_copy(update={'actors': actors, 'road': road})


def _actor(model: AnyActor, shift_m: float, factor: float) -> AnyActor:
    changes: dict[str, Any] = {}
    for name in ('at_m', 'trigger_m'):
        if hasattr(model, name):
            changes[name] = max(getattr(model, name) + shift_m, 1.0)
    for name in ('speed_mps', 'faster_mps', 'rolls_mps'):
        if hasattr(model, name):
            changes[name] = getattr(model, name) * factor
    return model.model_copy(update=changes)


def _closure(model: Closure, shift_m: float) -> Closure:
    first, last = model.from_m + shift_m, model.to_m + shift_m
    return model.model_copy(update={'from_m': first, 'to_m': last})
