"""No number of a profile, rig or scenario is without a bound: each of them is tried."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from alpamayo_ros.profile import ModelProfile, load_profile, profile_names
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.simulation.scenario import Scenario, load_scenario, scenario_names

Path = tuple[str | int, ...]
HOSTILE = (1e300, -1e300, float('inf'), float('nan'), 10**25)


def numbers(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where a record holds numbers; booleans are none."""
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from numbers(item, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def put(record: Any, path: Path, number: float) -> Any:
    out = copy.deepcopy(record)
    place = out
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = number
    return out


def taken(kind: Any, record: Any) -> list[str]:
    """Every hostile number that is taken."""
    found = []
    for path in numbers(record):
        for number in HOSTILE:
            try:
                kind.model_validate(put(record, path, number))
            except ValidationError:
                continue
            found.append(f'{".".join(map(str, path))} = {number}')
    return found


@pytest.mark.parametrize('name', profile_names())
def test_profiles(name: str) -> None:
    record = load_profile(name).model_dump(mode='json')
    assert len(list(numbers(record))) > 40
    assert taken(ModelProfile, record) == []


def test_rig() -> None:
    record = load_rig('sim').model_dump(mode='json')
    for camera in record['cameras'][:3]:
        camera['hfov_deg'] = None
        camera['camera_matrix'] = [500.0, 0.0, 280.0, 0.0, 500.0, 160.0, 0.0, 0.0, 1.0]
        camera['distortion'] = {'model': 'plumb_bob', 'coefficients': [0.1, 0.1, 0.0, 0.0, 0.1]}
    Rig.model_validate(record)
    assert taken(Rig, record) == []


@pytest.mark.parametrize('small', [0.0, 1e-300])
@pytest.mark.parametrize(
    'path', [('cameras', 0, 'hfov_deg'), ('cameras', 0, 'rate_hz'), ('vehicle', 'wheelbase_m')]
)
def test_numbers_that_are_divided_by(path: Path, small: float) -> None:
    with pytest.raises(ValidationError):
        Rig.model_validate(put(load_rig('sim').model_dump(mode='json'), path, small))


def test_scenarios_of_every_family() -> None:
    seen, found = set(), []
    for scenario in map(load_scenario, scenario_names()):
        if scenario.family not in seen:
            seen.add(scenario.family)
            record = scenario.model_dump(mode='json', exclude_none=True)
            found += [f'{scenario.name}: {text}' for text in taken(Scenario, record)]
    assert len(seen) > 15 and found == []
