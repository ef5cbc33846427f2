"""Reasons that are so: of the annotator all are, of others those that the expert bears out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import typer

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Options, rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.drive.visibility import seen_pixels
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training.annotation.binding import Question
from alpamayo_ros.training.annotation.chain import Annotation, annotation
from alpamayo_ros.training.annotation.claimed import outcome
from alpamayo_ros.training.annotation.instant import written
from alpamayo_ros.training.grammar_file import load_spec
from alpamayo_ros.types import PlannerInput, Proposal

PROFILE = load_profile('nano')
SPEC = load_spec(PROFILE.text.grammar)


@pytest.fixture
def tool(tools: Callable[[str], ModuleType]) -> ModuleType:
    return tools('chain_truth')


def now(sim: Simulation) -> Annotation:
    form = PROFILE.trajectory
    plan = expert.plan(sim, form)
    return annotation(sim, plan, form.dt_s, seen_pixels(sim, sim.images()))


class Truthful(ExpertPlanner):
    """The expert with the annotator's words, some of them changed."""

    blind = False

    def __init__(self, **changed: str) -> None:
        super().__init__(PROFILE)
        self.changed = changed

    def propose(self, inputs: PlannerInput) -> Proposal:
        assert self._sim is not None
        true = now(self._sim)
        said = replace(true, values=true.values | self.changed)
        text = written(SPEC, said.words(SPEC, np.random.default_rng(0)))
        return replace(super().propose(inputs), text=text)


def asked(tool: ModuleType, scenario: str, seed: int, **changed: str) -> Any:
    asking = tool.Asking(Truthful(**changed), SPEC)
    short = load_scenario(scenario).model_copy(update={'duration_s': 12.0})
    rollout(short, seed, asking, Options())
    return asking.found[scenario]


@pytest.mark.parametrize(('scenario', 'seed'), [('left_people_cross', 101), ('stopped_car', 108)])
def test_the_annotator_names_what_binds_and_claims_what_is_so(
    tool: ModuleType, scenario: str, seed: int
) -> None:
    said = asked(tool, scenario, seed)
    assert len(said.named) > 20 and set(said.named) <= {True, None}
    assert all(said.condition) and all(said.counterfactual)
    assert all(c.fp == c.fn == 0 for c in said.objects)
    if True in said.named:
        printed = tool.lines({scenario: said})
        assert printed[1] == 'the object that binds is named: 1.000'
        assert printed[2].startswith('  ') and ' 1.00 of ' in printed[2]


def test_other_reasons_are_not_so(tool: ModuleType) -> None:
    wrong = {'binding': 'siren', 'if': 'siren_absent', 'would': 'stop'}
    said = asked(tool, 'left_people_cross', 101, **wrong)
    assert True not in said.named and False in said.named
    assert not any(said.condition) and not any(said.counterfactual)


def test_the_expert_is_asked_under_the_condition_that_is_claimed() -> None:
    sim = open_world(load_scenario('stopped_car'), 108)
    while sim.truth().leader_gap_m > 25.0:
        sim.step(*expert.control(sim))
    true, question = now(sim), Question(sim)
    assert true.values['binding'] == 'lead'
    assert outcome(question, true, 'lead_absent') in ('faster', 'drive_on')
    assert outcome(question, true, 'vehicle_ahead') == 'brake_harder', '5 m nearer'
    for nobody in ('pedestrian_absent', 'cyclist_rides_on', 'light_red', 'siren_absent'):
        assert outcome(question, true, nobody) is None
    assert outcome(question, true, 'limit_absent') == 'same', 'there are no signs'
    sim.close()


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [({'split': 'nowhere'}, 'nowhere'), ({'only': 'nothing'}, 'no nothing in val'),
     ({'profile': 'none'}, 'no profile'), ({'model': '/nowhere'}, '/nowhere')],
)  # fmt: skip
def test_mistakes_are_one_sentence(tool: ModuleType, wrong: dict, said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        tool.main(**({'split': 'val', 'seeds': '0', 'only': '', 'model': None,
                      'profile': 'nano', 'out': None} | wrong))  # fmt: skip
