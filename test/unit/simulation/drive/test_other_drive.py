"""The pictures of another drive, on every kind of map that the suite has."""

from __future__ import annotations

import pytest

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.ablation import OtherDrive, elsewhere
from alpamayo_ros.simulation.scenario import load_scenario

PROFILE = load_profile('nano')


@pytest.mark.parametrize(
    'name', ['town_drive', 'exit_light', 'late_behind_bend', 'fog_roundabout_at_dusk']
)
def test_every_map_has_another_drive_beside_it(name: str) -> None:
    """A process holds one town, and a log is the same drive on every seed."""
    scenario = load_scenario(name)
    other = OtherDrive(elsewhere(scenario), 600, PROFILE)
    first, later = other.images(), other.images()
    other.close()
    assert other.scenario.map not in ('town', 'log')
    assert (other.scenario is scenario) == (scenario.map in ('motorway', 'roundabout'))
    assert first.std() > 10 and not (first[0] == later[0]).all()
