"""The annotator of version 2: the chain of causation of one instant, true by construction.

Thresholds are annotation choices, as in ``training.annotate``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.metrics import driven_intent
from alpamayo_ros.metrics.speed_change import STANDING_MPS
from alpamayo_ros.model.grammar import GrammarSpec
from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.worlds.expert import GAP_M
from alpamayo_ros.simulation.worlds.motorway import Motorway
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training import annotate
from alpamayo_ros.training.annotation.binding import Binding, Question, binding
from alpamayo_ros.training.annotation.counterfactual import IMAGINED_M, WALKS_ON, counterfactual
from alpamayo_ros.training.annotation.seen import Seen, distance_words, objects, seen_ids

FOG_1PM = 0.015  # from here on fog is worth a word
NEAR_JUNCTION_M = 40.0
SHIFT_M = 0.3
MERGED_SHARE = 0.4  # of the way across to the other lane
FIRST_SHARE = 0.8  # of the chains, a slot each, that have the first wording without a draw
LINE_M = 1.0  # the bumper stands this far before a stop line
SPEEDS = {said: name for name, said in annotate.SPEEDS.items()}
SLOTS = ('first', 'second', 'third')
INSTRUCTIONS = {'turn left': 'left', 'turn right': 'right', 'go straight': 'straight',
                'merge': 'merge', 'take the': 'exit'}  # fmt: skip
SITUATIONS = {'light': 'held', 'pedestrian': 'crossing', 'cyclist': 'crossing', 'siren': 'siren',
              'oncoming': 'yielding', 'circling': 'yielding', 'joining': 'yielding',
              'bend': 'bend'}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Annotation:
    """Values of every slot, what binds the plan, and the objects that are named."""

    values: dict[str, str]
    bound: Binding
    objects: tuple[Seen, ...]

    def words(self, spec: GrammarSpec, rng: np.random.Generator) -> dict[str, str]:
        """One wording of each value, mostly its first, for ``Grammar.encode``.

        Were all equally likely, a value with many wordings would lose to one with a single one
        where the model is not sure: words are chosen one token at a time.
        """
        return {
            slot.name: _wording(slot.wordings(self.values[slot.name]), rng)
            for _, slot in spec.slots()
        }


def _wording(wordings: Sequence[str], rng: np.random.Generator) -> str:
    first = rng.random() < FIRST_SHARE
    return wordings[0] if first else str(rng.choice(np.array(wordings)))


def annotation(
    sim: Simulation,
    plan: Float[np.ndarray, 'P 3'],
    dt_s: float,
    pixels: Mapping[int, int],
    wish: Wish = PLAIN,
) -> Annotation:
    """The chain of this instant; ``pixels``: ``visibility.seen_pixels`` of its pictures."""
    question = Question(sim, wish)
    seen = seen_ids(question, pixels)
    bound = binding(question, seen)
    named = objects(question, seen, bound.cause)
    people = _people(question, named, bound)
    condition, outcome = counterfactual(question, bound, people, imagined(question, named))
    speeds = annotate.plan_speeds(plan, dt_s)
    speed = SPEEDS[annotate.speed_intent(sim.ego.speed_mps, speeds)]
    values = {
        **_perception(sim, named),
        'situation': _situation(question, bound, named, speed),
        'instruction': _instruction(sim.navigation),
        'binding': 'nothing' if bound.hidden else bound.cause.name,
        'speed': speed,
        'path': _path(question, plan, dt_s),
        'if': condition,
        'would': outcome,
    }
    return Annotation(values, bound, tuple(named))


def _people(question: Question, named: list[Seen], bound: Binding) -> dict[str, float]:
    """Arcs of the nearest person of each kind who is named and does not bind the plan."""
    found: dict[str, float] = {}
    for s in named:
        who = s.value.rpartition('_')[2]
        if who in WALKS_ON and s.id not in bound.cause.ids:
            found.setdefault(who, question.view.front_m + s.distance_m)
    return found


def imagined(question: Question, named: list[Seen]) -> tuple[str, float]:
    """What might happen ahead, and the arc from where on something would then stand there."""
    front = question.view.front_m
    for s in named:
        if s.value == 'green_light':
            return 'light_red', front + s.distance_m - LINE_M + GAP_M
        if s.value == 'moving_vehicle':
            return 'lead_stops', front + s.distance_m
    return 'vehicle_ahead', front + IMAGINED_M


def _perception(sim: Simulation, named: list[Seen]) -> dict[str, str]:
    truth, looks = sim.truth(), sim.scenario.looks
    fog = looks.fog_1pm is not None and looks.fog_1pm >= FOG_1PM
    sight = 'fog' if fog else 'rain' if looks.rain > 0 else 'clear'
    found = {
        'road': _road(sim),
        'sight': looks.light if looks.light != 'day' else sight,
        'place': _place(truth.lane_offset_m),
    }
    for k, slot in enumerate(SLOTS):
        there = k < len(named)
        found[slot] = named[k].value if there else 'none'
        found[f'{slot}_at'] = distance_words(named[k].distance_m) if there else 'none'
    return found


def _place(offset_m: float) -> str:
    if abs(offset_m) < annotate.OFF_CENTRE_M:
        return 'centre'
    return 'left' if offset_m > 0 else 'right'


def _road(sim: Simulation) -> str:
    told = sim.navigation
    if sim.map == 'motorway':
        return 'motorway'
    if sim.map == 'roundabout' and _instruction(told) != 'none':
        return 'roundabout'
    if sim.map == 'town' and _told_in_m(told) <= NEAR_JUNCTION_M:
        return 'junction'
    near = np.asarray(sim.truth().curvature_ahead_1pm)[:3]
    k = float(near[np.argmax(np.abs(near))])
    if abs(k) < annotate.BEND_1PM:
        return 'straight'
    return f'{"sharp_" if abs(k) > annotate.SHARP_1PM else ""}{"left" if k > 0 else "right"}'


def _told_in_m(navigation: str) -> float:
    """How far the instruction is away; inf where there is none."""
    if navigation.endswith(' now'):
        return 0.0
    found = re.search(r' in (\d+) m', navigation)
    return float(found[1]) if found else float('inf')


def _instruction(navigation: str) -> str:
    for words, value in INSTRUCTIONS.items():
        if navigation.startswith(words):
            return value
    return 'none'


def _situation(question: Question, bound: Binding, named: list[Seen], speed: str) -> str:
    name = 'nothing' if bound.hidden else bound.cause.name
    if name in SITUATIONS:
        return SITUATIONS[name]
    if name in ('works', 'debris') or (
        name == 'lead' and question.leader_id not in bound.cause.ids
    ):
        shifts = question.view.way.shifts
        return 'narrow' if shifts else 'blocked'
    values = {s.value for s in named}
    truth, own = question.sim.truth(), question.sim.ego.speed_mps
    if values & {'standing_vehicle', 'braking_vehicle', 'moving_vehicle'}:
        if 'standing_vehicle' in values:
            return 'blocked' if own < STANDING_MPS else 'closing'
        closing = own - truth.leader_speed_mps
        return 'closing' if closing > 1.0 else 'opening' if closing < -1.0 else 'following'
    return 'leaving' if speed == 'speed_up' and own < STANDING_MPS else 'free'


def _path(question: Question, plan: Float[np.ndarray, 'P 3'], dt_s: float) -> str:
    """Where the plan goes, in the words of what it is there for."""
    sim, told = question.sim, _instruction(question.sim.navigation)
    done = driven_intent(plan, sim.ego.speed_mps, dt_s)
    if told in ('left', 'right') and told in done:
        return told
    if sim.map == 'roundabout' and told == 'exit':
        return 'ring'
    ahead = float(np.hypot(plan[-1, 0], plan[-1, 1]))
    if told == 'straight' and _told_in_m(sim.navigation) < ahead:
        return 'straight'
    if isinstance(sim, Motorway) and told in ('merge', 'exit'):
        begin, end = sim.change_m
        across_m = min(sim.arc_m + ahead, end) - max(sim.arc_m, begin)
        if across_m > MERGED_SHARE * (end - begin):
            return 'merge_left' if told == 'merge' else 'exit'
    arcs = sim.arc_m + np.arange(0.0, max(ahead, 8.0), 4.0)
    shift = max((question.view.way.at(float(s)) for s in arcs), key=abs)
    if abs(shift) > SHIFT_M:
        return 'pass_left' if shift > 0 else 'pass_right'
    off = sim.truth().lane_offset_m
    return 'centre' if abs(off) > annotate.STEER_BACK_M else 'lane'
