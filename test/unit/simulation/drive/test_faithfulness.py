"""Interventions: given words are as good as decoded ones, and the figures say what happened."""

import numpy as np
import pytest

from alpamayo_ros.cli.models.faithful_process import instants_of
from alpamayo_ros.faults import Fault
from alpamayo_ros.model.grammar import values
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.drive.faithfulness import (
    DECISIONS,
    Instant,
    figures,
    instants,
    other_words,
)
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.training.grammar_file import load_spec


@pytest.fixture(scope='module')
def nano() -> StagedRuntime:
    runtime = open_runtime('onnx', load_profile('nano'), None)
    assert not isinstance(runtime, Fault)
    assert isinstance(runtime, StagedRuntime)
    return runtime


def test_given_words_condition_as_decoded_ones(nano: StagedRuntime) -> None:
    frames, given, _ = made_up_input(nano.profile)
    features = nano.encode(frames)
    own = nano.reason(features, given)
    again = nano.say(features, given, own.token_ids)
    assert again.text == own.text
    np.testing.assert_allclose(again.condition.hidden, own.condition.hidden, atol=1e-3)
    mute = nano.say(features, given, ())
    assert len(own.condition.hidden) - len(mute.condition.hidden) == len(own.token_ids)


def test_the_decisions_are_in_their_grammars(nano: StagedRuntime) -> None:
    frames, given, _ = made_up_input(nano.profile)
    text = nano.reason(nano.encode(frames), given).text
    for decision, wanted in DECISIONS[nano.grammar.spec.version].items():
        ids = other_words(nano.grammar, text, decision)
        said = values(nano.grammar.spec, nano.grammar.text(ids))
        assert said is not None and wanted.items() <= said.items()
    for version, decisions in DECISIONS.items():
        slots = {slot.name: slot for _, slot in load_spec(f'phrases_v{version}').slots()}
        for wanted in decisions.values():
            assert all(slots[name].wordings(value) for name, value in wanted.items())
    with pytest.raises(ValueError, match='did not write'):
        other_words(nano.grammar, 'perception: nonsense', 'stop')


def test_figures() -> None:
    found = [
        Instant('stop', 40.0, 20.0, 0.5, 1.0, False, False, 40.0),
        Instant('stop', 40.0, 41.0, 0.5, 1.0, False, False, 40.0),
        Instant('go', 5.0, 25.0, 0.5, 2.0, True, False, 30.0),
    ]
    said = figures(found)
    assert said['forced_stop_towards'] == 0.5 and said['forced_stop_m'] == 9.5
    assert said['forced_go_towards'] == 1.0 and said['ade_m'] == 0.5
    assert said['ade_without_words_m'] == pytest.approx(1.3333)
    assert said['vehicle_named'] == 1 and said['removed_words_gone'] == 1.0
    assert said['removed_effect_gone'] == 1.0
    assert figures([])['forced_go_towards'] is None


def test_a_vehicle_taken_out_of_the_pictures_is_no_longer_named(nano: StagedRuntime) -> None:
    scenario = load_scenario('leader_stops').model_copy(update={'duration_s': 4.0})
    found = list(instants(nano, nano.profile, scenario, 10000))
    assert len(found) >= 3 and any(i.claimed for i in found)
    assert not any(i.claimed_empty for i in found)


def test_instants_of_another_process_are_those_of_this_one(
    nano: StagedRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    leader = load_scenario('leader_stops').model_copy(update={'duration_s': 2.0})
    road = load_scenario('winding_road').model_copy(update={'duration_s': 3.0})
    drives = [(leader, 10000), (road, 10001)]  # the pool drives the longer one first
    here = [i for drive in drives for i in instants(nano, nano.profile, *drive)]
    assert instants_of(Task('', profile='nano'), drives) == here and len(here) >= 3
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith('winding_road, seed 10001: ')
    assert said[1] == f'leader_stops, seed 10000: {len(here)} instants so far'
