"""Whether words and plan hang together: interventions on a model in the expert's states.

Forced: the chain of another decision is put in place of the model's own; does the plan move
towards it?  Hidden: the denoiser gets no words at all; what does it cost?  Removed: everybody
else is left out of the pictures; do their words go, and their effect on the plan?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from alpamayo_ros import metrics
from alpamayo_ros.faults import Fault
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.noise import noise
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.drive.sensors import Sensors
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.types import PlannerInput

MOVED_M = 0.5  # a plan that ends this much nearer or further has moved
EVERY_STEPS = 10
DECISIONS: dict[int, dict[str, dict[str, str]]] = {  # by version of the grammar: slot to value
    1: {
        'stop': {
            'vehicle': ', standing vehicle ahead', 'gap': ' at 10 m',
            'situation': 'closing on a standing vehicle',
            'rationale': 'there is no room to drive on', 'speed': 'stop',
        },
        'go': {
            'vehicle': ', no vehicle ahead', 'gap': '', 'situation': 'free road',
            'rationale': 'speed is below what the road allows', 'speed': 'speed up',
        },
    },
    2: {
        'stop': {
            'first': 'standing_vehicle', 'first_at': '10 m', 'situation': 'closing',
            'binding': 'lead', 'speed': 'stop',
        },
        'go': {
            'first': 'none', 'first_at': 'none', 'second': 'none', 'second_at': 'none',
            'third': 'none', 'third_at': 'none', 'situation': 'free', 'binding': 'nothing',
            'speed': 'speed_up',
        },
    },
}  # fmt: skip
STOPPING = {'stop', 'wait', 'slow'}


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant under all interventions; ways are metres driven within the horizon.

    ``other``: the decision that was forced.  ``ade_m``, ``ade_mute_m``: mean distance to the
    expert's plan with words and without.  ``claimed``, ``claimed_empty``: whether the words name a
    vehicle ahead, in the world and with everybody taken out of the pictures.
    """

    other: str
    way_m: float
    forced_m: float
    ade_m: float
    ade_mute_m: float
    claimed: bool
    claimed_empty: bool
    empty_m: float


def instants(
    runtime: StagedRuntime, profile: ModelProfile, scenario: Scenario, seed: int
) -> Iterator[Instant]:
    """Every second of a drive by the expert."""
    sim = open_world(scenario, seed)
    real, empty, step = Sensors(sim, profile), Sensors(sim, profile), 0
    runtime.reset()
    try:
        while not sim.done:
            real.look()
            sim.invisible = frozenset(a.id for a in sim.agents())
            empty.look()
            sim.invisible = frozenset()
            given, bare = real.inputs(seed), empty.frames()
            if step % EVERY_STEPS == 0 and not isinstance(given, Fault | None):
                if not isinstance(bare, Fault):
                    truth = expert.plan(sim, profile.trajectory)
                    yield _instant(runtime, profile, given, replace(given, frames=bare), truth)
            real.step(*expert.control(sim))
            step += 1
    finally:
        sim.close()


def _instant(
    runtime: StagedRuntime,
    profile: ModelProfile,
    given: PlannerInput,
    bare: PlannerInput,
    truth: Float[np.ndarray, 'P 3'],
) -> Instant:
    points = profile.trajectory.points
    start = noise(given.seed, given.t0_ns, profile.candidates, points)
    features = runtime.encode(given.frames)
    own = runtime.reason(features, given.given)
    said = metrics.stated_intent(own.text)
    other = 'go' if said & STOPPING else 'stop'
    forced = runtime.say(features, given.given, other_words(runtime.grammar, own.text, other))
    mute = runtime.say(features, given.given, ())
    plan, mute_plan = (_mean(runtime, r.condition, start) for r in (own, mute))
    alone = runtime.reason(runtime.encode(bare.frames), bare.given)
    return Instant(
        other,
        _way_m(plan),
        _way_m(_mean(runtime, forced.condition, start)),
        _ade_m(plan, truth),
        _ade_m(mute_plan, truth),
        bool(metrics.coc_facts(own.text)['lead']),
        bool(metrics.coc_facts(alone.text)['lead']),
        _way_m(_mean(runtime, alone.condition, start)),
    )


def other_words(grammar: Grammar, text: str, decision: str) -> tuple[int, ...]:
    """The tokens of a text whose decision is replaced, in everything that belongs to it."""
    words = grammar.choices(text)
    if words is None:
        raise ValueError(f'the grammar did not write {text!r}')
    slots = {slot.name: slot for _, slot in grammar.spec.slots()}
    for name, value in DECISIONS[grammar.spec.version][decision].items():
        words[name] = slots[name].wordings(value)[0]
    return grammar.encode(words)


def figures(found: list[Instant]) -> dict[str, float | int | None]:
    """Shares and means over instants; None where nothing can be said."""
    result: dict[str, float | int | None] = {'instants': len(found)}
    for decision, sign in (('stop', -1.0), ('go', 1.0)):
        moved = [sign * (i.forced_m - i.way_m) for i in found if i.other == decision]
        result[f'forced_{decision}'] = len(moved)
        result[f'forced_{decision}_towards'] = _mean_of([m > MOVED_M for m in moved])
        result[f'forced_{decision}_m'] = _mean_of(moved)
    result['ade_m'] = _mean_of([i.ade_m for i in found])
    result['ade_without_words_m'] = _mean_of([i.ade_mute_m for i in found])
    named = [i for i in found if i.claimed]
    result['vehicle_named'] = len(named)
    result['removed_words_gone'] = _mean_of([not i.claimed_empty for i in named])
    held = [i for i in named if i.other == 'go']
    result['held_back_by_it'] = len(held)
    result['removed_effect_gone'] = _mean_of([i.empty_m - i.way_m > MOVED_M for i in held])
    return result


def _mean_of(numbers: list[float] | list[bool]) -> float | None:
    return round(float(np.mean(numbers)), 4) if numbers else None


def _mean(
    runtime: StagedRuntime, condition: object, start: Float[np.ndarray, 'K P 3']
) -> Float[np.ndarray, 'P 3']:
    """The mean of the candidates from the same noise."""
    plans: np.ndarray = runtime.denoise(condition, start).mean(0)  # type: ignore[arg-type]
    return plans


def _way_m(plan: Float[np.ndarray, 'P 3']) -> float:
    steps = np.diff(plan[:, :2], axis=0, prepend=np.zeros((1, 2), plan.dtype))
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _ade_m(plan: Float[np.ndarray, 'P 3'], truth: Float[np.ndarray, 'P 3']) -> float:
    return float(np.hypot(*(plan[:, :2] - truth[:, :2]).T).mean())
