"""The words against reference, truth and path, on texts worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from alpamayo_ros import metrics
from alpamayo_ros.model.grammar import GrammarSpec

TEXT = (
    'perception: road straight, in lane centre, standing vehicle ahead at 20 m\n'
    'situation: closing on a standing vehicle\n'
    'rationale: there is no room to drive on\n'
    'intent: stop and keep the lane'
)
DT = 0.1


def test_rouge_l_by_hand():
    """Lin 2004, example 2.

    'police killed the gunman' against 'police kill the gunman' has 3 of 4 words in order; 'the
    gunman kill police' has 2.
    """
    reference = 'police killed the gunman'
    assert metrics.rouge_l('police kill the gunman', reference) == pytest.approx(0.75)
    assert metrics.rouge_l('the gunman kill police', reference) == pytest.approx(0.5)
    assert metrics.rouge_l('a b', 'a x b y') == pytest.approx(2 * 2 / 6)
    assert metrics.rouge_l(TEXT, TEXT) == 1.0


@pytest.mark.parametrize('text', ['', '...', 'äöü', '日本'])
def test_rouge_l_without_words_is_zero_and_without_a_reference_unknown(text):
    assert metrics.rouge_l(text, 'stop') == 0.0
    assert metrics.rouge_l('stop', text) is None


def test_facts_of_a_text():
    assert metrics.coc_facts(TEXT) == {
        'light': set(),
        'lead': {'present', 'standing'},
        'pedestrian': set(),
        'manoeuvre': {'stop'},
    }


def test_the_intent_claims_nothing_about_the_scene():
    facts = metrics.coc_facts('perception: free road\nintent: stop behind a standing vehicle')
    assert facts['lead'] == set() and facts['manoeuvre'] == {'stop'}


@pytest.mark.parametrize(
    ('text', 'key', 'expected'),
    [
        ('red light ahead', 'light', {'red'}),
        ('the traffic light is green', 'light', {'green'}),
        ('amber signal', 'light', {'yellow'}),
        ('no red light', 'light', set()),
        ('red car ahead', 'light', set()),
        ('no vehicle ahead', 'lead', set()),
        ('braking vehicle ahead at 10 m', 'lead', {'present', 'braking'}),
        ('moving vehicle ahead', 'lead', {'present', 'moving'}),
        ('standing behind a vehicle', 'lead', {'present'}),
        ('following a vehicle', 'lead', {'present'}),
        ('stopped truck ahead', 'lead', {'present', 'standing'}),
        ('a car is parked on the right', 'lead', set()),
        ('pedestrian crossing from the left', 'pedestrian', {'present', 'crossing'}),
        ('a child on the pavement', 'pedestrian', {'present'}),
        ('nobody, no pedestrian', 'pedestrian', set()),
        ('', 'lead', set()),
    ],
)
def test_single_facts(text, key, expected):
    assert metrics.coc_facts(f'perception: {text}\nintent: keep speed')[key] == expected


def test_f1_of_facts_by_hand():
    """Said: a standing leader, stop.  True: a braking leader, a red light, stop."""
    true = {'light': 'red', 'lead': {'braking'}, 'pedestrian': None, 'manoeuvre': {'stop'}}
    counts = metrics.facts_f1(metrics.coc_facts(TEXT), true)
    assert counts == (2, 1, 2)  # present, stop; standing; braking, red
    assert metrics.f1([counts]) == pytest.approx(4 / 7)
    assert metrics.f1([counts, (0, 0, 3)]) == pytest.approx(4 / 10)


def test_what_the_truth_does_not_know_is_not_judged():
    assert metrics.facts_f1({'light': {'red'}, 'lead': {'present'}}, {'lead': 'none'}) == (0, 1, 0)
    assert metrics.facts_f1({'light': {'red'}}, {}) == (0, 0, 0)
    hidden = {'lead': {'moving'}, 'pedestrian': 'crossing'}
    true = {'lead': set(), 'pedestrian': {'present'}}
    for said, counts in (
        ({}, (0, 0, 1)),
        ({'lead': 'moving', 'pedestrian': 'crossing'}, (1, 0, 0)),
        ({'lead': 'standing', 'pedestrian': 'present'}, (1, 1, 0)),
    ):
        assert metrics.facts_f1(said, true, hidden) == counts, said
    assert metrics.facts_by_subject({'lead': 'moving'}, true, hidden)['lead'] == (0, 0, 0)
    assert metrics.f1([]) is None and metrics.f1([(0, 0, 0)]) is None


@pytest.mark.parametrize(
    ('intent', 'expected'),
    [
        ('keep speed and drive straight on', {'keep'}),
        ('slow down and keep the lane', {'slow'}),
        ('wait and steer back to the centre', {'wait'}),
        ('Speed up', {'speed_up'}),
        ('slow down, then turn left', {'slow', 'left'}),
        ('bear sharply right', {'right'}),
        ('change to the left lane', {'lane_change_left'}),
        ('merge right and keep speed', {'lane_change_right', 'keep'}),
        ('stop at the stop sign', {'stop'}),
        ('drive past the stop sign', set()),
        ('do not stop', set()),
        ('enjoy the view', set()),
        ('', set()),
    ],
)
def test_stated_intent(intent, expected):
    assert metrics.stated_intent(f'rationale: stop\nintent: {intent}') == expected
    assert metrics.stated_intent(intent) == expected


def test_every_intent_of_the_grammar_is_understood(repository):
    spec = GrammarSpec.from_file(repository / 'config' / 'grammars' / 'phrases_v1.yaml')
    slots = {slot.name: slot.phrases for _, slot in spec.slots()}
    for speed in slots['speed']:
        for lane in slots['lane']:
            assert len(metrics.stated_intent(f'intent: {speed}{lane}')) == 1, (speed, lane)
    for vehicle in slots['vehicle']:
        said = metrics.coc_facts(f'perception: road straight{vehicle}')['lead']
        assert bool(said) is ('no vehicle' not in vehicle)


def path(speeds, curvature=0.0):
    """Poses of a car that drives at ``speeds`` along an arc (fine Euler steps are not needed)."""
    way = np.cumsum(np.broadcast_to(speeds, 60) * DT)
    heading = curvature * way
    if curvature == 0.0:
        return np.column_stack([way, np.zeros(60), heading])
    return np.column_stack([np.sin(heading), 1 - np.cos(heading), curvature * heading]) / curvature


def swerve(offset):
    """At 10 m/s to ``offset`` and parallel again."""
    poses = path(10.0)
    poses[:, 1] = offset * (1 - np.cos(np.linspace(0, np.pi, 60))) / 2
    poses[:, 2] = np.arctan2(np.gradient(poses[:, 1]), np.gradient(poses[:, 0]))
    return poses


UP_AND_DOWN = np.concatenate([np.linspace(2, 5, 32), np.linspace(5, 2.5, 28)])
BRAKE = np.maximum(8.0 - 2.0 * DT * np.arange(1, 61), 0.0)


@pytest.mark.parametrize(
    ('poses', 'speed0', 'expected'),
    [
        (path(8.0), 8.0, {'keep'}),
        (path(BRAKE), 8.0, {'stop'}),
        (path(np.linspace(8, 5, 60)), 8.0, {'slow'}),
        (path(np.linspace(0, 6, 60)), 0.0, {'speed_up'}),
        (path(0.0), 0.0, {'wait'}),
        (path(5.0, 0.05), 5.0, {'keep', 'left'}),
        (path(5.0, -0.05), 5.0, {'keep', 'right'}),
        (swerve(3.5), 10.0, {'keep', 'lane_change_left'}),
        (swerve(-3.5), 10.0, {'keep', 'lane_change_right'}),
        (swerve(1.0), 10.0, {'keep'}),
    ],
)
def test_driven_intent(poses, speed0, expected):
    assert metrics.driven_intent(poses, speed0, DT) == expected


def test_a_heading_while_standing_is_no_turn():
    poses = path(0.0)
    poses[:, 2] = 1.0
    assert metrics.driven_intent(poses, 0.0, DT) == {'wait'}


@pytest.mark.parametrize(
    ('intent', 'poses', 'speed0', 'expected'),
    [
        ('stop', path(BRAKE), 8.0, 1.0),
        ('stop', path(8.0), 8.0, 0.5),
        ('stop', path(np.linspace(8, 11, 60)), 8.0, 0.0),
        ('speed up', path(UP_AND_DOWN), 2.0, 1.0),
        ('keep speed', path(UP_AND_DOWN), 2.0, 1.0),
        ('slow down', path(UP_AND_DOWN), 2.0, 0.5),
        ('stop', path(UP_AND_DOWN), 2.0, 0.5),
        ('wait', path(0.0), 0.0, 1.0),
        ('wait', path(8.0), 8.0, 0.0),
        ('speed up', path(np.linspace(0, 6, 60)), 0.0, 1.0),
        ('speed up', path(0.0), 0.0, 0.5),
        ('turn left', path(5.0, 0.05), 5.0, 1.0),
        ('turn left', path(5.0, -0.05), 5.0, 0.0),
        ('turn left', path(5.0), 5.0, 0.5),
        ('keep speed and turn right', path(5.0, 0.05), 5.0, 0.5),
        ('change to the left lane', swerve(3.5), 10.0, 1.0),
        ('change to the right lane', swerve(3.5), 10.0, 0.0),
    ],
)
def test_agreement(intent, poses, speed0, expected):
    text = f'rationale: because\nintent: {intent}'
    assert metrics.agreement(text, poses, speed0, DT) == pytest.approx(expected)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_agreement_is_unknown_without_intent_or_numbers(bad):
    broken = path(5.0)
    broken[30, 0] = bad
    assert metrics.agreement('intent: enjoy the view', path(5.0), 5.0, DT) is None
    assert metrics.agreement('intent: stop', broken, 5.0, DT) is None
    assert metrics.agreement('intent: stop', path(5.0), bad, DT) is None
    assert metrics.agreement('intent: stop', np.zeros((0, 3)), 5.0, DT) is None
    assert metrics.driven_intent(broken, 5.0, DT) == set()
