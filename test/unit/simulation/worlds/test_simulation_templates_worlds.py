"""Templates of the families that live on other maps and in other light, and road works' looks."""

import numpy as np
import pytest

from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenario import Closure, load_scenario, scenario_names
from alpamayo_ros.simulation.scenery.road_scenery import scenery

FAMILIES = ('signal', 'unprotected_left', 'motorway_merge', 'motorway_exit', 'give_way')
FAMILIES += ('night', 'fog', 'rain')


@pytest.mark.parametrize('family', FAMILIES)
def test_a_family_has_templates_in_every_split(family: str) -> None:
    mine = [s for s in map(load_scenario, scenario_names()) if s.family == family]
    splits = [s.split for s in mine]
    assert splits.count('train') >= 1 and splits.count('val') >= 1 and splits.count('test') >= 2
    assert all(s.verdict == 'safe' and s.duration_s <= 90 for s in mine)
    for s in mine:
        dark = s.looks.light != 'day'
        looked = {'night': dark, 'fog': bool(s.looks.fog_1pm), 'rain': s.looks.rain > 0}
        assert looked.get(family, True), s.name


def test_road_works_paint_lines_and_dig_and_leave_other_roads_alone() -> None:
    road = Road(4)
    plain = scenery(road, 4).mesh
    closures = (Closure(from_m=60, to_m=90, shift_m=1.2), Closure(from_m=120, to_m=140))
    works = scenery(road, 4, None, closures).mesh
    assert len(works.vertices) > len(plain.vertices)
    assert np.array_equal(plain.vertices, scenery(road, 4, None, ()).mesh.vertices)
    colours = works.vertices[:, 3:]
    yellow = (colours[:, 0] > 2.5 * colours[:, 2]) & (colours[:, 1] > 0.3)
    x, y, _ = road.pose(75.0, 1.2 - 1.65)
    near = np.hypot(works.vertices[:, 0] - x, works.vertices[:, 1] - y) < 1.6
    assert (near & yellow).any(), 'a yellow line on the right of the shifted lane'
