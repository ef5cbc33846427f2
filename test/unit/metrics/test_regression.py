"""--against: what counts as worse than an earlier run."""

import copy
import json

import pytest

from alpamayo_ros.metrics import regression
from alpamayo_ros.metrics.regression import Reference, compare
from alpamayo_ros.statuses import ConfigError

BEFORE = {
    'complete': True,
    'identity': {'bag': {'sha256': 'a' * 64}},
    'metrics': {
        'ade': {'model': 2.0, 'baseline': 5.0, 'n': 9, 'unit': 'm', 'better': 'lower'},
        'agreement': {'model': 0.8, 'n': 9, 'unit': 'share', 'better': 'higher'},
        'planned_share': {'model': 1.0, 'n': 9, 'unit': 'share', 'better': 'higher'},
        'spread_coverage_50_at_3s': {'model': 0.4, 'n': 9, 'unit': 'share', 'better': ''},
        'coc_rouge_l': {'model': None, 'n': 0, 'unit': 'share', 'better': 'higher'},
        'cycle_ms_p50': {'model': 40.0, 'n': 9, 'unit': 'ms', 'better': 'lower'},
        'collision_up_to_1s': {'model': 0.0, 'n': 9, 'unit': 'share', 'better': 'lower'},
    },
}


def now(**models):
    out = copy.deepcopy(BEFORE)
    for name, value in models.items():
        out['metrics'][name]['model'] = value
    return out


@pytest.mark.parametrize(
    ('models', 'worse'),
    [
        ({}, []),
        ({'ade': 2.1}, []),  # within 5 %
        ({'ade': 2.11}, ['ade']),
        ({'ade': 0.1, 'agreement': 1.0}, []),  # better
        ({'agreement': 0.77}, []),
        ({'agreement': 0.75}, ['agreement']),
        ({'planned_share': 0.97}, ['planned_share']),
        ({'spread_coverage_50_at_3s': 0.0}, []),  # neither way is better
        ({'coc_rouge_l': 0.0}, []),  # there was none before
        ({'cycle_ms_p50': 400.0}, []),  # of the machine, not of the model
        ({'collision_up_to_1s': 0.01}, ['collision_up_to_1s']),
    ],
)
def test_only_what_is_worse_than_allowed_counts(models, worse):
    found = compare(Reference(BEFORE), now(**models))
    assert [item.name for item in found] == worse
    for item in found:
        assert f'{models[item.name]:g}' in item.sentence


def test_a_cell_that_went_empty_is_worse_and_says_why():
    after = now(ade=None)
    after['metrics']['ade']['reason'] = 'not evaluable: no odometry'
    (found,) = compare(Reference(BEFORE), after)
    assert found.name == 'ade' and 'not evaluable: no odometry' in found.sentence
    del after['metrics']['ade']
    assert 'no longer there' in compare(Reference(BEFORE), after)[0].sentence


def test_another_bag_and_an_incomplete_run_are_no_comparison():
    after = now()
    after['identity'] = {'bag': {'sha256': 'b' * 64}}
    after['complete'] = False
    assert [item.name for item in compare(Reference(BEFORE), after)] == ['bag', 'complete']


def test_own_tolerances_go_first(tmp_path):
    (tmp_path / 's.json').write_text(json.dumps(BEFORE))
    (tmp_path / 't.yaml').write_text('ade: {absolute: 3.0}\n')
    reference = regression.read(tmp_path / 's.json', tmp_path / 't.yaml')
    assert compare(reference, now(ade=4.9)) == []
    assert [w.name for w in compare(reference, now(ade=5.1, planned_share=0.5))] == [
        'ade', 'planned_share',
    ]  # fmt: skip
    (tmp_path / 't.yaml').write_text('cycle_ms_p50: {relative: 0.5}\n')
    reference = regression.read(tmp_path / 's.json', tmp_path / 't.yaml')
    assert [w.name for w in compare(reference, now(cycle_ms_p50=61.0))] == ['cycle_ms_p50']
    (tmp_path / 't.yaml').write_text('speed_of_light: {absolute: 3.0}\n')
    with pytest.raises(ValueError, match='no metric speed_of_light'):
        regression.read(tmp_path / 's.json', tmp_path / 't.yaml')
    (tmp_path / 't.yaml').write_text('ade: {absolut: 3.0}\n')
    with pytest.raises(ValueError, match='absolut'):
        regression.read(tmp_path / 's.json', tmp_path / 't.yaml')


def test_a_wrong_reference_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected summary.json'):
        regression.read(tmp_path / 'none.json')
    (tmp_path / 'a.json').write_text('[1]')
    with pytest.raises(ValueError, match='expected summary.json of alpamayo replay'):
        regression.read(tmp_path / 'a.json')


def test_words_for_a_person(tmp_path):
    assert regression.words([], tmp_path / 'a') == f'Not worse than {tmp_path / "a"}.'
    found = compare(Reference(BEFORE), now(ade=9.0))
    assert 'in 1:\n  ade was 2, is 9 m; allowed 2.1' in regression.words(found, tmp_path)


def test_a_mistake_in_own_tolerances_is_named_with_its_line(tmp_path):
    (tmp_path / 's.json').write_text(json.dumps(BEFORE))
    (tmp_path / 't.yaml').write_text('ade:\n  relativ: 0.1\n')
    with pytest.raises(ConfigError, match=r"t\.yaml:2: no key 'relativ' .*did you mean"):
        regression.read(tmp_path / 's.json', tmp_path / 't.yaml')
