"""The score of a text: full for the truth itself, less for every wrong or missing claim."""

import pytest

from alpamayo_ros.training.annotation.binding import NOTHING, Binding, Cause
from alpamayo_ros.training.annotation.chain import Annotation
from alpamayo_ros.training.annotation.score import score, summary

TRUE = {
    'road': 'straight', 'sight': 'clear', 'place': 'centre', 'first': 'red_light',
    'second': 'standing_vehicle', 'third': 'none', 'situation': 'held', 'instruction': 'left',
    'binding': 'light', 'speed': 'stop', 'path': 'lane',
}  # fmt: skip
LIGHT = Annotation(TRUE, Binding(Cause('light', frozenset({-1})), 9.0), ())
FREE = Annotation(TRUE, Binding(NOTHING, 0.0), ())
HIDDEN = Annotation(TRUE, Binding(Cause('lead', frozenset({1})), 9.0, hidden=True), ())


def test_the_truth_has_full_marks() -> None:
    found = summary([score(TRUE, LIGHT)])
    assert set(found.values()) == {1.0}


def test_a_wrong_and_a_missing_claim_count() -> None:
    said = {**TRUE, 'first': 'debris', 'binding': 'debris'}
    one = score(said, LIGHT)
    assert one.counts['objects'] == (1, 1, 1) and one.named is False
    found = summary([one, score(TRUE, LIGHT)])
    assert found['objects'] == pytest.approx(0.75) and found['binding_named'] == 0.5
    assert score({**TRUE, 'second': 'none'}, LIGHT).counts['objects'] == (1, 0, 1)


def test_where_nobody_binds_or_can_be_seen_nothing_is_judged() -> None:
    assert score(TRUE, FREE).named is score(TRUE, HIDDEN).named is None
    assert summary([score(TRUE, FREE)])['binding_named'] is None
    assert summary([])['objects'] is None
