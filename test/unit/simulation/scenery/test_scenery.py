"""Kinds of agents, dusk, night, rain: each is seen and the same again; a plain day is spared."""

import numpy as np
import pytest

pytest.importorskip('moderngl')

from alpamayo_ros.simulation.actors.actor import SIZES
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.maps.town_map import town_map
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.scenery import town_scenery
from alpamayo_ros.simulation.scenery.atmosphere import Atmosphere, with_atmosphere
from alpamayo_ros.simulation.scenery.kind_mesh import KINDS
from alpamayo_ros.simulation.scenery.mesh_parts import BLUE_LEFT, BRAKE, HEAD
from alpamayo_ros.simulation.scenery.rain import drops, streaks, wet_lens
from alpamayo_ros.simulation.worlds.simulation import Simulation


@pytest.fixture(scope='module')
def sim() -> Simulation:
    world = Simulation(load_scenario('winding_road'), 4)
    world.place(60.0)
    world.scripted.oncoming = None
    world._scenery = world._build_scenery()
    return world


def agent(sim: Simulation, kind: str, ahead_m: float, turned: float = 0.0) -> Agent:
    x, y, heading = sim.road.pose(63.6 + ahead_m, 0.0, turned)
    size = SIZES.get(kind, (4.5, 1.8))
    return Agent(1, kind, x, y, heading, 0.0, 0.0, *size, (0.6, 0.2, 0.2), True)


def front(sim: Simulation, agents=(), light='day', rain=0.0, time_s=0.0, fog=None) -> np.ndarray:
    world = with_atmosphere(sim._scenery, light, rain, fog)
    image = sim._renderer.render(world, sim.pose, agents, {'front'}, time_s)['front']
    if world is not sim._scenery:
        sim._renderer.free(world)
    return image.astype(int)


@pytest.mark.parametrize('kind', [k for k in KINDS if k != 'lamp'])
def test_every_kind_is_drawn_in_the_size_that_it_has(sim: Simulation, kind: str) -> None:
    changed = np.abs(front(sim, [agent(sim, kind, 8.0)]) - front(sim)).max(2) > 20
    rows, columns = np.nonzero(changed)
    assert len(rows) > 20, f'{kind} cannot be seen at 8 m'
    mesh, wanted = KINDS[kind].mesh(), KINDS[kind]
    if wanted.length_m:
        extent = np.ptp(mesh[:, :2], axis=0)
        assert extent[0] == pytest.approx(SIZES[kind][0], abs=0.35)
        assert extent[1] == pytest.approx(SIZES[kind][1], abs=0.3)
    reach = np.hypot(mesh[:, 0], mesh[:, 1]).max()
    assert reach <= wanted.radius_m, 'would vanish at the edge of a picture'
    assert mesh[:, 2].min() >= 0.0 and columns.min() > 0


def test_an_unknown_kind_is_drawn_as_a_car(sim: Simulation) -> None:
    assert (
        front(sim, [agent(sim, 'hovercraft', 9.0)]) == front(sim, [agent(sim, 'car', 9.0)])
    ).all()


def test_blue_lamps_flash_in_turn(sim: Simulation) -> None:
    car = [agent(sim, 'emergency_car', 7.0)]
    first, second, third = (front(sim, car, time_s=t) for t in (0.0, 0.2, 0.4))
    assert (first == third).all() and (np.abs(first - second).max(2) > 60).sum() >= 10
    materials = set(KINDS['emergency_car'].mesh()[:, 6].tolist())
    assert {HEAD, BRAKE, BLUE_LEFT} <= materials


def test_night_is_dark_but_for_the_headlights_and_lamps(sim: Simulation) -> None:
    day, night = front(sim), front(sim, light='night')
    assert night[:100].mean() < 0.15 * day[:100].mean()
    ahead, aside = night[190:230, 240:320].mean(), night[190:230, :80].mean()
    assert ahead > 2.5 * aside, 'the road ahead is lit'
    lamps = front(sim, [agent(sim, 'car', 25.0)], 'night')
    red = (lamps[..., 0] > 150) & (lamps[..., 1] < 90)
    assert red.sum() >= 4, 'tail lamps are seen'
    dusk = front(sim, light='dusk')
    assert night.mean() < dusk.mean() < day.mean()


def test_rain_is_dim_and_grey_and_the_same_again(sim: Simulation) -> None:
    day, wet = front(sim), front(sim, rain=0.8, time_s=1.0)
    assert wet.mean() < day.mean() and wet.std() < day.std()
    assert (wet == front(sim, rain=0.8, time_s=1.0)).all()
    later = (wet != front(sim, rain=0.8, time_s=1.1)).any(2).mean()
    assert 0.005 < later < 0.2, 'streaks move'


def test_a_plain_day_is_not_touched(sim: Simulation) -> None:
    changed = with_atmosphere(sim._scenery, 'day', 0.0, None)
    assert changed.atmosphere is None and changed.fog_1pm == sim._scenery.fog_1pm
    assert (changed.sky == sim._scenery.sky).all() and (
        changed.zenith == sim._scenery.zenith
    ).all()


def test_dense_fog_hides_the_blue_of_the_sky(sim: Simulation) -> None:
    changed = with_atmosphere(sim._scenery, 'day', 0.0, 0.06)
    assert np.allclose(changed.zenith, changed.sky) and changed.atmosphere is None


def test_rain_by_night_keeps_the_darkness(sim: Simulation) -> None:
    rainy = with_atmosphere(sim._scenery, 'night', 0.7, None).atmosphere
    assert isinstance(rainy, Atmosphere) and rainy.rain == 0.7
    assert max(rainy.ambient) < 0.2 and rainy.wet > 0.9


def test_drops_and_streaks_stay_inside_and_leave_most_of_a_picture() -> None:
    size = (128, 224)
    at = streaks(size, 1, 1.0)
    to, source, shade = drops(size, 1, 1.0)
    for index in (at, to, source):
        assert index.min() >= 0 and index.max() < size[0] * size[1]
    assert shade.max() <= 80 and len(at) < 0.1 * size[0] * size[1]
    image = np.full((*size, 3), 90, np.uint8)
    wet_lens(image, 'rear', 0.5, np.array([0.5, 0.5, 0.5]), 0.3)
    share = (image != 90).any(2).mean()
    assert 0.002 < share < 0.12 and image.min() > 20


def test_windows_of_a_town_shine_by_night_and_not_by_day() -> None:
    pytest.importorskip('sumolib')
    town = town_map('town_0')
    day, lit = town_scenery.scenery(town, 3), town_scenery.scenery(town, 3, lit=True)
    assert day.mesh.vertices[:, 3:].max() <= 1.0
    shining = lit.mesh.vertices[:, 3] > 1.5
    assert 0.05 < shining.mean() < 0.6 and lit.mesh.vertices[shining, 3:].min() >= 2.0
    assert np.array_equal(day.sky, lit.sky), 'the seed draws the same sky'
