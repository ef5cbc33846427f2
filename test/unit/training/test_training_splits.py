"""What is evaluated is never trained on."""

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.training import starts


@pytest.mark.parametrize('split', ['val', 'test'])
def test_a_template_of_another_split_is_not_collected(split):
    name = templates(split)[0].name
    with pytest.raises(ValueError, match='nothing is trained on it'):
        starts.training_scenario(name)


def test_templates_for_training_and_plain_scenarios_are_collected():
    name = templates('train')[0].name
    assert starts.training_scenario(name) == load_scenario(name)
    assert starts.training_scenario('winding_road').split == ''


@pytest.mark.parametrize('seed', [0, 100, 999])
def test_seeds_of_evaluations_are_refused(seed):
    with pytest.raises(ValueError, match='1000'):
        starts.refuse_evaluation(seed)
