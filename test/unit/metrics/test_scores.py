"""Scores of drives by hand, against the simulator's own, and their intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.metrics import scores
from alpamayo_ros.simulation.outcome import Outcome


def row(name: str = 'a', **changes: object) -> dict:
    base = {
        'name': name, 'seed': 0, 'collisions_at_fault': 0, 'offroad_s': 0.0, 'progress': 1.0,
        'distance_m': 200.0, 'duration_s': 20.0, 'right': True, 'red_lights': 0, 'stop_lines': 0,
        'speeding_s': 0.0, 'wrong_way_s': 0.0, 'comfort': 1.0, 'coc_facts': [8, 1, 1],
        'coc_facts_by': {'light': [3, 0, 1], 'lead': [5, 1, 0]}, 'agreement': 0.9,
    }  # fmt: skip
    base |= changes
    base['scene_score'] = scores.scene_score(base)
    base['drive_score'] = scores.drive_score(base)
    base['rules'] = scores.rules(base)
    return base


@given(st.integers(0, 2), st.sampled_from([0.0, 0.1, 3.0]), st.floats(0, 100), st.floats(0, 120))
def test_scene_score_is_the_simulators(
    hits: int, offroad_s: float, reachable_m: float, distance_m: float
) -> None:
    outcome = Outcome('x', 0, distance_m=distance_m, reachable_m=reachable_m)
    outcome.collisions_at_fault, outcome.offroad_s = hits, offroad_s
    found = row(collisions_at_fault=hits, offroad_s=offroad_s, progress=outcome.progress)
    assert found['scene_score'] == pytest.approx(outcome.score)
    assert 0.0 <= found['drive_score'] <= found['scene_score'] <= 1.0


def test_scene_score_of_alpasim() -> None:
    assert row(progress=0.4)['scene_score'] == pytest.approx(0.5)
    assert row(progress=0.8)['scene_score'] == row(progress=1.0)['scene_score'] == 1.0
    assert row(collisions_at_fault=1)['scene_score'] == row(offroad_s=0.1)['scene_score'] == 0.0


def test_drive_score_by_hand() -> None:
    assert row()['drive_score'] == 1.0
    assert row(progress=0.9)['drive_score'] == pytest.approx(0.9), 'the last fifth counts too'
    assert row(red_lights=2)['drive_score'] == pytest.approx(0.49)
    assert row(red_lights=1, stop_lines=1)['drive_score'] == pytest.approx(0.56)
    assert row(speeding_s=5.0)['drive_score'] == pytest.approx(0.75)
    assert row(speeding_s=5.0, wrong_way_s=10.0)['drive_score'] == pytest.approx(0.375)
    assert row(comfort=0.5)['drive_score'] == pytest.approx(1 - 0.5 / 6)
    assert row(comfort=0.0, progress=0.6)['drive_score'] == pytest.approx(0.6 * 5 / 6)
    assert row(comfort=None)['drive_score'] == 1.0, 'too short to say'
    assert row(collisions_at_fault=1)['drive_score'] == row(offroad_s=0.1)['drive_score'] == 0.0


def test_no_comfort_is_worth_a_contact() -> None:
    rough = row(comfort=0.0, red_lights=1)
    assert rough['drive_score'] > row(collisions_at_fault=1)['drive_score']


def test_figures_are_sums_over_all_runs() -> None:
    rows = [row('a', progress=0.4), row('a', collisions_at_fault=2), row('b', offroad_s=1.0)]
    rows.append(row('b', coc_facts=None, coc_facts_by=None, agreement=None))
    found = scores.summarise(rows)
    assert (found['runs'], found['templates'], found['incidents']) == (4, 2, 3)
    assert found['at_fault_free_share'] == 0.75 and found['incident_free_share'] == 0.5
    assert found['mean_progress'] == 0.85 and found['scene_score'] == pytest.approx(0.375)
    assert found['km_per_incident'] == pytest.approx(0.8 / 3, abs=1e-4)
    assert found['coc_facts_f1'] == pytest.approx(48 / 54, abs=1e-4)
    assert found['light_f1'] == pytest.approx(18 / 21, abs=1e-4)
    assert found['lead_f1'] == pytest.approx(30 / 33, abs=1e-4)
    assert found['pedestrian_f1'] is found['pedestrian_f1_ci95'] is None, 'nobody was there'
    assert found['agreement'] == 0.9, 'the run without words is not counted as a disagreement'
    assert found['km_per_incident_note'] == ''


def test_exits_are_those_that_were_decided() -> None:
    rows = [row('a', exits=3), row('b', exits=1, missed_exits=1, offroad_s=0.1), row('c')]
    assert scores.summarise(rows)['exits_taken'] == 0.8
    assert scores.summarise([row('a'), row('b')])['exits_taken'] is None, 'no run reached any'
    two = [row('a', exits=9), row('b', exits=1), row('c')]
    assert scores.summarise(two)['exits_taken'] == 1.0
    low, high = scores.summarise(two)['exits_taken_ci95']
    assert (low, high) == (pytest.approx(0.3424, abs=1e-4), 1.0), "Wilson's, of two templates"


def test_intervals_are_drawn_over_templates() -> None:
    """Ten equal runs of a template weigh like one: only templates are resampled."""
    few = [row(n, progress=p) for n, p in (('a', 0.2), ('b', 0.6), ('c', 1.0))]
    many = [r for r in few for _ in range(10)]
    assert (
        scores.summarise(few)['mean_progress_ci95'] == scores.summarise(many)['mean_progress_ci95']
    )
    low, high = scores.summarise(few)['mean_progress_ci95']
    assert 0.2 <= low < 0.6 < high <= 1.0
    assert scores.summarise(few) == scores.summarise(list(reversed(few))), 'seeded, any order'


def test_one_template_says_nothing_of_others() -> None:
    found = scores.summarise([row('a', progress=0.2), row('a', progress=0.9)])
    assert found['mean_progress'] == 0.55 and found['mean_progress_ci95'] is None


def test_no_incident_is_stated_not_divided_by() -> None:
    found = scores.summarise([row(n, distance_m=3000.0) for n in 'abc'])
    assert found['km_per_incident'] is None and found['km_per_incident_ci95'] == [3.0, None]
    assert 'no incident in 9.00 km' in found['km_per_incident_note']
    some = scores.summarise([row('a'), row('b'), row('c', offroad_s=1.0)])
    low, high = some['km_per_incident_ci95']
    assert low <= some['km_per_incident'] == 0.6 and high is None, 'a resample without incident'


def test_a_share_of_all_has_an_interval_with_a_width() -> None:
    found = scores.summarise([row(n) for n in 'abcdefgh'])
    low, high = found['at_fault_free_share_ci95']
    assert found['at_fault_free_share'] == 1.0 and high == 1.0
    assert low == pytest.approx(0.676, abs=1e-3), 'Wilson, 8 of 8'


def test_nothing_is_not_evaluable() -> None:
    found = scores.summarise([])
    assert (
        found['runs'] == 0 and found['scene_score'] is None and found['scene_score_ci95'] is None
    )
    assert not any(isinstance(v, float) and math.isnan(v) for v in found.values())
