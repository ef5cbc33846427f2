"""Figures of a replay and the sentence above them."""

from collections import Counter

import pytest

from alpamayo_ros.metrics import METRICS
from alpamayo_ros.replay.judge import judge
from alpamayo_ros.replay.replay_figures import Figures
from alpamayo_ros.replay.score import Scored


def figures(plans=20, armed=20, begun=20, **cells):
    """Two scored cycles: ``cells`` are (model, baseline) of both."""
    out = Figures(with_model=True, timesteps=30, proposals=24, armed=armed, plans=plans)
    out.begun = begun
    for _ in range(2):
        model = {name: pair[0] for name, pair in cells.items()}
        baseline = {name: pair[1] for name, pair in cells.items()}
        out.add(Scored(0, model, baseline))
    return out


def baseline_alone():
    out = Figures(with_model=False, timesteps=1)
    out.add(Scored(0, None, {'ade': 2.0}))
    return out


def verdict(found, broken=''):
    return judge(found, found.table(), broken)


def test_every_metric_has_a_figure_or_a_reason():
    table = figures(ade=(1.0, 2.0)).table()
    assert set(table) == {*METRICS, 'planned_share'}
    for name, cells in table.items():
        for cell in cells:
            assert (cell.value is None) == bool(cell.reason), name


def test_the_baseline_is_taken_over_the_cycles_of_the_model():
    found = figures()
    found.add(Scored(0, {'ade': 1.0}, {'ade': 2.0}))
    found.add(Scored(1, {'ade': None}, {'ade': 50.0}))
    found.add(Scored(2, None, {'ade': 50.0}))
    model, baseline = found.table()['ade']
    assert (model.value, model.n) == (1.0, 1)
    assert (baseline.value, baseline.n) == (2.0, 1)
    alone = Figures(with_model=False)
    alone.add(Scored(2, None, {'ade': 50.0}))
    assert alone.table()['ade'][1].value == 50.0
    assert alone.table()['ade'][0].reason == 'no model took part'


def test_spread_is_calibrated_over_all_cycles():
    found = figures()
    for level in (0.1, 0.2, 0.9, 0.95):
        found.add(Scored(0, {'spread_level_at_3s': level}, {}))
    cell = found.table()['spread_coverage_50_at_3s'][0]
    assert (cell.value, cell.n) == (0.5, 4)
    assert found.table()['spread_calibration_error_at_3s'][0].value > 0.1


def test_an_interrupted_replay_does_not_pass():
    found = figures(ade=(1.0, 2.0))
    assert judge(found, found.table(), '').word == 'pass'
    ended = judge(found, found.table(), '', interrupted=True)
    assert ended.word == 'not evaluable' and ended.sentence.startswith('Interrupted')
    few = figures(plans=3, ade=(1.0, 2.0))
    assert judge(few, few.table(), '', interrupted=True).word == 'fail'


@pytest.mark.parametrize(
    ('made', 'broken', 'word', 'said'),
    [
        (figures(ade=(1.0, 2.0)), '', 'pass', 'over 6 s: nearer to it than constant velocity'),
        (figures(ade=(3.0, 2.0)), '', 'pass', 'further from it than constant velocity'),
        (figures(ade=(2.0, 2.0)), '', 'pass', 'about as near as constant velocity'),
        (figures(l2_at_3s=(1.0, 2.0)), '', 'pass', '1.00 m from what was driven at 3 s'),
        (figures(), '', 'pass', '20 of 20 timesteps gave a plan.'),
        (figures(plans=17), '', 'fail', '17 of 20 timesteps gave a plan, at least 90% are'),
        (figures(plans=18), '', 'pass', '18 of 20'),
        (figures(plans=0, armed=0), '', 'fail', 'None of 24 proposals of the model became'),
        (
            figures(plans=0, armed=0, begun=0), '', 'not evaluable',
            'None of 24 proposals of the model became a plan, for the driver never began',
        ),
        (figures(), 'cut off at byte 7', 'fail', 'The bag is damaged: cut off at byte 7'),
        (
            Figures(with_model=False), '', 'not evaluable',
            'No model took part, and nothing of the baseline can be evaluated: odometry does not',
        ),
        (baseline_alone(), '', 'not evaluable', 'only the recording and the baseline.'),
        (
            Figures(with_model=True, timesteps=9, refusals=Counter(SET_INCOMPLETE=9)),
            '', 'not evaluable', 'the model was never asked: SET_INCOMPLETE in 9 of 9',
        ),
    ],
)  # fmt: skip
def test_the_verdict_goes_by_written_criteria(made, broken, word, said):
    found = verdict(made, broken)
    assert found.word == word
    assert said in found.sentence


@pytest.mark.parametrize(
    ('plans', 'said'),
    [
        (20, '20 of 20 timesteps gave a plan; the 2 of them that can be compared are on average'),
        (2, '2 of 2 timesteps gave a plan, on average 1.00 m from what was driven over 6 s'),
    ],
)
def test_the_verdict_says_of_how_many_plans_its_distance_is(plans, said):
    assert said in verdict(figures(plans=plans, armed=plans, ade=(1.0, 2.0))).sentence


def test_what_speaks_against_the_model_is_noted():
    found = verdict(figures(l2_at_1s=(3.0, 2.0), l2_at_3s=(1.0, 2.0)))
    assert found.notes == (
        'The model is worse than constant velocity and turn rate in: l2_at_1s 3.00 m.',
    )
    late = figures(plans=10)
    late.unplanned.update(PLAN_REJECTED=7, SKEW=3)
    assert 'PLAN_REJECTED 7, SKEW 3' in verdict(late).sentence
