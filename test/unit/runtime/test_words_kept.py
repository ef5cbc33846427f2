"""Words that come less often than plans: kept while young, in one pass, and their age is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.faults import Fault
from alpamayo_ros.pipeline import propose
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.drive.drive import Cycle, rollout
from alpamayo_ros.simulation.drive.planners import RuntimePlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.types import Conditioning, PlannerInput
from alpamayo_ros.units import NS

PROFILE = load_profile('nano')
START_NS = 10 * NS


@pytest.fixture(scope='module')
def runtime() -> StagedRuntime:
    opened = open_runtime('onnx', PROFILE, words_every_s=0.5)
    assert isinstance(opened, StagedRuntime)
    return opened


def asked(age_s: float, text: str) -> PlannerInput:
    """Other pictures and another speed than before, ``age_s`` after ``text`` was decoded."""
    frames, given, _ = made_up_input(PROFILE)
    t0_ns = START_NS + round(age_s * NS)
    ego = replace(given.ego, t0_ns=t0_ns, speed_mps=given.ego.speed_mps + 3.0)
    later = Conditioning(ego, previous_text=text, previous_t0_ns=START_NS)
    return PlannerInput(t0_ns, replace(frames, images=255 - frames.images), later)


def first(runtime: StagedRuntime) -> str:
    frames, given, _ = made_up_input(PROFILE)
    given = replace(given, ego=replace(given.ego, t0_ns=START_NS))
    return propose(PlannerInput(START_NS, frames, given), runtime).text


@pytest.mark.parametrize(('age_s', 'kept'), [(0.1, True), (0.499, True), (0.5, False), (3, False)])
def test_young_words_are_kept_and_say_their_age(
    runtime: StagedRuntime, age_s: float, kept: bool
) -> None:
    text = first(runtime)
    inputs = asked(age_s, text)
    proposal = propose(inputs, runtime)
    assert runtime.decoded is not None
    assert (runtime.decoded.passes == 1) == kept
    assert proposal.text_t0_ns == (START_NS if kept else inputs.t0_ns)
    if kept:
        assert proposal.text == text
        assert not proposal.truncated


def test_kept_words_condition_the_plan_as_they_are(runtime: StagedRuntime) -> None:
    text = first(runtime)
    inputs = asked(0.2, text)
    proposal = propose(inputs, runtime)
    features = runtime.encode(inputs.frames)
    said = runtime.say(features, inputs.given, proposal.token_ids)
    kept = runtime.reason(features, inputs.given)
    assert kept.kept and not said.kept
    np.testing.assert_array_equal(kept.condition.hidden, said.condition.hidden)


@pytest.mark.parametrize('age_s', [0.0, -0.2])
def test_words_from_now_or_later_are_not_kept(runtime: StagedRuntime, age_s: float) -> None:
    """A clock that stepped back keeps nothing."""
    inputs = asked(age_s, first(runtime))
    assert propose(inputs, runtime).text_t0_ns == inputs.t0_ns


@pytest.mark.parametrize('text', ['', 'perception: no sentence of the grammar'])
def test_what_the_grammar_cannot_read_is_not_kept(runtime: StagedRuntime, text: str) -> None:
    inputs = asked(0.1, text)
    assert propose(inputs, runtime).text_t0_ns == inputs.t0_ns


def test_a_runtime_without_words_refuses() -> None:
    opened = open_runtime('scripted', PROFILE, words_every_s=0.5)
    assert isinstance(opened, Fault)
    assert 'words_every_s is 0 for it' in str(opened)


def test_in_a_drive_every_fifth_cycle_decodes(runtime: StagedRuntime) -> None:
    scenario = load_scenario('winding_road').model_copy(update={'duration_s': 4.0})
    cycles: list[Cycle] = []
    rollout(scenario, 3, RuntimePlanner(runtime, PROFILE), watch=cycles.append)
    proposals = [cycle.proposal for cycle in cycles if cycle.proposal is not None]
    ages_s = [round((p.t0_ns - p.text_t0_ns) / NS, 3) for p in proposals]
    assert len(proposals) > 30
    assert ages_s == [round(0.1 * (k % 5), 3) for k in range(len(ages_s))]
