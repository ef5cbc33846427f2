"""Planners and runtimes that an installed package offers by a short name."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import alpamayo_ros as av
from alpamayo_ros.faults import Fault
from alpamayo_ros.runtime import foreign, registry
from alpamayo_ros.runtime.made_up import made_up_input

PACKAGE = Path(__file__).resolve().parents[2] / 'support' / 'example_package'


def installed(folder: Path, groups: dict[str, dict[str, str]], name: str = 'example') -> None:
    """What an installer leaves beside the modules: the entry points that pyproject.toml names."""
    info = folder / f'{name}-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    lines = [
        f'[{group}]\n' + '\n'.join(f'{key} = {value}' for key, value in points.items())
        for group, points in groups.items()
    ]
    (info / 'entry_points.txt').write_text('\n\n'.join(lines) + '\n')


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the example package in it, as an installer leaves it."""
    shutil.copy(PACKAGE / 'example_drivers.py', tmp_path)
    project = tomllib.loads((PACKAGE / 'pyproject.toml').read_text())['project']
    installed(tmp_path, project['entry-points'])
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop('example_drivers', None)


@pytest.mark.parametrize(('name', 'text'), [('steady', ''), ('still', 'I stand')])
def test_both_kinds_plan_by_their_short_names(site: Path, name: str, text: str) -> None:
    profile = av.load_profile('nano')
    runtime = av.open_runtime(name, profile)
    assert not isinstance(runtime, Fault), runtime
    frames, given, _ = made_up_input(profile)
    proposal = av.propose(av.PlannerInput(frames.t0_ns, frames, given), runtime)
    ends = proposal.candidates[:, -1, :2]
    form = profile.trajectory
    way_m = 0.0 if name == 'still' else given.ego.speed_mps[0] * form.points * form.dt_s
    assert np.allclose(ends, [way_m, 0.0], atol=1e-4)
    assert proposal.text == text


def test_the_names_are_listed_where_one_is_wrong(site: Path) -> None:
    found = registry.find('stedy')
    assert isinstance(found, Fault) and 'steady' in str(found) and 'still' in str(found)


def test_a_planner_among_the_runtimes_is_told_what_it_lacks(site: Path) -> None:
    installed(site, {foreign.RUNTIMES: {'half': 'example_drivers:Steady'}}, 'half')
    found = foreign.load('half', av.load_profile('nano'))
    assert 'half is registered under alpamayo.runtimes and lacks ' in str(found)
    assert 'encode' in str(found) and 'denoise' in str(found)


def test_a_name_that_two_packages_offer_is_refused(site: Path) -> None:
    installed(site, {foreign.PLANNERS: {'steady': 'other_drivers:Steady'}}, 'other')
    found = foreign.load('steady', av.load_profile('nano'))
    assert 'example_drivers:Steady' in str(found) and 'other_drivers:Steady' in str(found)
