"""tools/instructions.py tells a plan that goes where it is told from one that does not."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Options, rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner, open_planner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.types import PlannerInput, Proposal


@pytest.fixture
def tool(tools: Callable[[str], ModuleType]) -> ModuleType:
    return tools('instructions')


class Obedient(ExpertPlanner):
    """The expert, with the heading at the end that the words ask for; it drives by the rest."""

    def propose(self, inputs: PlannerInput) -> Proposal:
        true = super().propose(inputs)
        words = inputs.given.navigation
        turned = {'turn left': 60.0, 'turn right': -60.0}
        end = next((deg for said, deg in turned.items() if words.startswith(said)), 0.0)
        true.candidates[:, -1, 2] = np.radians(end)
        return true


@pytest.mark.parametrize(
    ('words', 'left_m'),
    [('turn left in 40 m', 40.0), ('go straight now', 0.0), ('follow the road', None),
     ('take the second exit in 30 m', None)],
)  # fmt: skip
def test_the_way_to_a_junction_is_read_out_of_the_words(tool, words, left_m) -> None:
    assert tool.to_junction_m(words) == left_m


def test_a_plan_says_where_it_goes_once_it_moves_near_the_line(tool) -> None:
    ways, headings = dict.fromkeys(tool.TURNS, 20.0), {'left': 40.0, 'straight': 5.0, 'right': 3.0}
    one = tool.Instant('town', 5.0, ways, headings, 0.5, 1.0)
    assert [one.goes(turn) for turn in tool.TURNS] == [True, True, False]
    far = tool.Instant('town', 30.0, ways, headings, 0.5, 1.0)
    stands = tool.Instant('town', 5.0, dict.fromkeys(tool.TURNS, 2.0), headings, None, None)
    assert {far.goes('left'), stands.goes('left')} == {None}
    said = list(tool.lines([one, one, far, stands]))
    assert said[0] == 'left: 2 of 2 plans that move go there' and said[2].startswith(
        'right: 0 of 2'
    )
    assert said[3].startswith('3 instants') and said[3].endswith('(0.50)')


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        ({'seeds': 'abc'}, "--seeds 'abc': expected"),
        ({'scenarios': 'left_afterred'}, 'left_afterred'),
        ({'profile': 'nanoo'}, 'nanoo'),
    ],
)
def test_what_is_mistyped_is_a_sentence(tool, words, said) -> None:
    given = {'model': None, 'profile': 'nano', 'scenarios': tool.DRIVES, 'seeds': '100'} | words
    with pytest.raises(typer.BadParameter, match=said):
        tool.main(**given, out=None)


@pytest.mark.slow
def test_each_drive_is_that_of_another_process(tool, tmp_path, monkeypatch, capsys) -> None:
    short = load_scenario('left_after_red').model_copy(update={'duration_s': 8.0})
    out, town = tmp_path / 'out.json', str(tmp_path / 'short.yaml')
    Path(town).write_text(json.dumps(short.model_dump(mode='json', exclude_defaults=True)))
    monkeypatch.setattr(tool, 'rollout', lambda *_: pytest.fail('driven in this process'))
    tool.main(None, 'nano', town, '100', out)
    told = json.loads(out.read_text())
    here = tool.Asking(open_planner('onnx', load_profile('nano')))
    rollout(load_scenario(town), 100, here, Options())
    assert told == json.loads(json.dumps([asdict(one) for one in here.found])) and told
    assert capsys.readouterr().out.startswith('left: ')


def test_a_drive_is_the_same_however_often_it_is_asked(tool) -> None:
    town = load_scenario('left_after_red').model_copy(update={'duration_s': 8.0})
    plain = rollout(town, 100, Obedient(load_profile('nano')), Options())
    asking = tool.Asking(Obedient(load_profile('nano')))
    assert rollout(town, 100, asking, Options()) == plain
    assert len(asking.found) >= 2
    for one in asking.found:
        assert one.headings_deg == pytest.approx(
            {'left': 60, 'straight': 0, 'right': -60}, abs=0.01
        )
        assert one.best_m is None or one.best_m <= one.mean_m + 1e-6
