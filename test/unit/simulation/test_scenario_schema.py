"""Scenario files: what they may say, where they lie, and that templates of a family differ."""

import functools
import json
from collections import Counter

import pytest
from pydantic import ValidationError

from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation.scenario import Scenario, load_scenario, scenario_names

FAMILIES = (
    'hard_braking_leader', 'stopped_car_bend', 'cut_in', 'crossing_pedestrian',
    'occluded_pedestrian', 'debris', 'emergency_vehicle', 'sensor_fault', 'construction',
    'lane_closure',
)  # fmt: skip
LEAST = {'name': 'x', 'description': 'y', 'duration_s': 10}


@functools.cache
def every() -> tuple[Scenario, ...]:
    return tuple(map(load_scenario, scenario_names()))


def family(name: str) -> list[Scenario]:
    return [s for s in every() if s.family == name]


@pytest.mark.parametrize('name', FAMILIES)
def test_a_family_has_templates_for_training_validation_and_twice_for_test(name: str) -> None:
    splits = Counter(s.split for s in family(name))
    assert splits['train'] >= 1 and splits['val'] >= 1 and splits['test'] >= 2
    assert sum(splits.values()) >= 4 and set(splits) <= {'train', 'val', 'test'}


def structure(value: object) -> object:
    """The scenario without its numbers, names and words."""
    if isinstance(value, dict):
        hidden = ('name', 'description', 'split')
        return {k: structure(v) for k, v in value.items() if k not in hidden}
    if isinstance(value, list | tuple):
        return [structure(v) for v in value]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (value > 0) - (value < 0) if number else value


@pytest.mark.parametrize('name', FAMILIES)
def test_templates_of_a_family_differ_in_more_than_a_number(name: str) -> None:
    forms = [json.dumps(structure(s.model_dump()), sort_keys=True) for s in family(name)]
    assert len(set(forms)) == len(forms)


def test_a_file_is_named_as_the_template_and_its_folder_as_the_family() -> None:
    files = list((share_dir() / 'config' / 'scenarios').rglob('*.yaml'))
    assert len({f.stem for f in files}) == len(files) == len(scenario_names())
    for file in files:
        scenario = load_scenario(file)
        assert scenario.name == file.stem
        if scenario.family:
            assert file.parent.name == scenario.family and scenario.verdict == 'safe'
            least_s = 5 if scenario.split == 'logs' else 15  # a log is as long as it was recorded
            assert scenario.split and least_s <= scenario.duration_s <= 120


def test_a_template_is_found_by_its_name_and_by_its_path() -> None:
    path = share_dir() / 'config' / 'scenarios' / 'cut_in' / 'overtaker_cuts_in.yaml'
    assert load_scenario('overtaker_cuts_in') == load_scenario(path)
    with pytest.raises(FileNotFoundError, match='overtaker_cuts_in'):
        load_scenario('overtaker_cuts_out')


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        ({'actors': [{'kind': 'unicorn', 'at_m': 5}]}, 'braking_leader'),
        ({'actors': [{'kind': 'crossing', 'at_m': 5, 'wings': 2}]}, 'wings'),
        ({'actors': [{'kind': 'crossing', 'at_m': 5, 'who': 'bear'}]}, 'cyclist'),
        ({'actors': [{'kind': 'stopped'}]}, 'at_m'),
        ({'faults': 'explode(source=front)'}, 'explode'),
        ({'faults': 'drop(source=front_lef)'}, 'front_left'),
        ({'severity': 1.5}, 'severity'),
        ({'split': 'exam'}, 'split'),
        ({'road': {'closures': [{'from_m': 5, 'to_m': 9, 'kind': 'flood'}]}}, 'construction'),
        ({'road': {'closures': [{'from_m': 9, 'to_m': 5}]}}, 'to_m'),
        ({'road': {'turns': 'lx'}}, 'turns'),
        ({'looks': {'light': 'noon'}}, 'light'),
        (
            {'traffic': {'log': 'a'}},
            'traffic.log means nothing on map: winding_road; it is for log',
        ),
        (
            {'map': 'town', 'traffic': {'leader': True}},
            'traffic.leader means nothing on map: town',
        ),
        ({'road': {'exit': 2}}, 'road.exit means nothing .* it is for roundabout'),
        ({'traffic': {'cars': 3}}, 'it is for town, motorway, roundabout'),
    ],
)
def test_what_is_wrong_is_named(more: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Scenario.model_validate({**LEAST, **more})


def test_a_way_through_the_other_lane_needs_traffic_that_knows_of_it() -> None:
    closed = {'closures': [{'from_m': 50, 'to_m': 60, 'kind': 'lane_closure', 'shift_m': 3.3}]}
    with pytest.raises(ValidationError, match='oncoming: false'):
        Scenario.model_validate({**LEAST, 'road': closed})
    Scenario.model_validate({**LEAST, 'road': closed, 'traffic': {'oncoming': False}})


def test_the_demonstrations_belong_to_no_family() -> None:
    for name in ('winding_road', 'stopped_car', 'slowing_leader', 'town_drive'):
        scenario = load_scenario(name)
        assert (scenario.family, scenario.split, scenario.actors) == ('', '', ())
