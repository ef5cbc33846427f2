"""The town: routes, signals, traffic around the ego, instructions, pictures."""

import math

import numpy as np
import pytest

pytest.importorskip('libsumo')

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.maps.town_map import town_map
from alpamayo_ros.simulation.maps.town_route import fillet
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.town_names import MAP_NAMES, TRAINING_MAPS
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.simulation.worlds.town import Town
from alpamayo_ros.simulation.worlds.town_traffic import TownTraffic

pytestmark = pytest.mark.timeout(180)  # a machine that trains beside the tests
SCENARIO = load_scenario('town_drive')


@pytest.fixture
def town():
    opened: list[Town] = []

    def build(seed: int = 0, render: bool = False) -> Town:
        world = open_world(SCENARIO, seed, render)
        assert isinstance(world, Town)
        opened.append(world)
        return world

    yield build
    for world in opened:
        world.close()


@pytest.mark.parametrize('name', [*MAP_NAMES, *TRAINING_MAPS])
def test_every_map_has_signals_crossings_and_routes_a_car_can_follow(name: str) -> None:
    streets = town_map(name)
    assert len(streets.signals) >= 40 and len(streets.crossings) >= 20
    edges = streets.random_edges(np.random.default_rng(1), 8)
    route = streets.route(edges, 0)
    assert np.abs(route.curvature).max() < 0.25, 'sharper than the simulated car can steer'
    stops = [j.stop_arc_m for j in route.junctions]
    assert len(stops) == 7 and stops == sorted(stops)
    assert all(j.stop_arc_m < j.exit_arc_m and j.turn in 'slr' for j in route.junctions)
    assert (np.linalg.norm(np.diff(route.position, axis=0), axis=1) < 0.51).all()


def test_a_right_angle_is_turned_on_one_arc() -> None:
    way = fillet(np.array([[-9.0, 0.0], [0.0, 0.0]]), np.array([[8.0, 12.0], [8.0, 20.0]]))
    assert way[0].tolist() == [0.0, 0.0] and way[-1].tolist() == [8.0, 12.0]
    radius = np.linalg.norm(way[1:-1] - [0.0, 8.0], axis=1)
    assert radius == pytest.approx(8.0)
    straight = fillet(np.array([[-9.0, 0.0], [0.0, 0.0]]), np.array([[9.0, 0.1], [12.0, 0.1]]))
    assert len(straight) == 2


def test_two_drives_of_a_seed_are_equal_and_only_one_town_lives_in_a_process(town) -> None:
    first = town(3)
    with pytest.raises(RuntimeError, match='once a process'):
        open_world(SCENARIO, 4, False)
    traces = []
    for _ in range(2):
        for _ in range(60):
            first.step(*expert.control(first))
        traces.append([(a.id, a.x_m, a.y_m, a.speed_mps) for a in first.agents()])
        first.close()
        first.close = lambda: None  # type: ignore[method-assign]
        first = town(3)
    assert traces[0] == traces[1] and len(traces[0]) > 10


def test_people_start_within_the_shortest_street() -> None:
    streets = town_map('town_14')  # two of its streets are 34 m long
    traffic = TownTraffic(streets, 0, 0, 200)
    traffic.close()


def test_others_keep_their_distance_from_an_ego_that_stands(town) -> None:
    world = town(1)
    behind = math.inf
    for _ in range(300):
        world.step(world.pose.steering_rad, -3.0)
        for a in world.agents():
            away = math.hypot(a.x_m - world.pose.x_m, a.y_m - world.pose.y_m)
            behind = min(behind, away) if a.kind == 'car' else behind
    assert world.outcome.collisions == 0 and world.pose.speed_mps == 0.0
    assert behind > 2.5


def test_the_expert_waits_at_red_and_nobody_runs_it_unnoticed(town) -> None:
    world = town(3)
    junction = next(j for j in world.route.junctions if j.tls)
    reach = world.vehicle.rear_axle_to_front_m
    world._traffic.state = lambda tls, link: 'r'  # type: ignore[method-assign]
    for _ in range(250):
        world.step(*expert.control(world))
    gap = junction.stop_arc_m - world.arc_m - reach
    assert world.pose.speed_mps < 0.1 and 0.0 < gap < 3.0
    assert world.outcome.red_lights == 0 and world.outcome.end == ''
    for _ in range(40):
        world.step(world.pose.steering_rad, 1.5)
    assert world.outcome.red_lights == 1


def test_the_next_turn_is_announced_in_canonical_words(town) -> None:
    world = town(1)
    assert world.route.junctions[0].turn == 'r'
    assert world.navigation.startswith('turn right in ') and world.navigation.endswith(' m')


def test_a_turn_may_be_told_until_it_has_been_made(town) -> None:
    world = town(1)
    turn, after = world.route.junctions[:2]
    told = {}
    for through in (False, True):
        world.told_through = through
        for name, arc_m in (('within', turn.exit_arc_m - 0.5), ('after', turn.exit_arc_m + 0.5)):
            world.arc_m = arc_m
            told[name, through] = world.navigation
    assert told['within', True] == 'turn right now'
    assert not told['within', False].startswith('turn right now')
    assert after.stop_arc_m > turn.exit_arc_m and told['after', True] == told['after', False]


def test_pictures_show_lamps_and_people_and_leave_winding_roads_alone(town) -> None:
    road = Simulation(load_scenario('winding_road'), 4)
    before = road.images()
    world = town(0, render=True)
    drawn = world._drawn()
    kinds = {a.kind for a in drawn}
    assert kinds == {'car', 'pedestrian', 'lamp'}
    images = world.images()
    assert all(image.std() > 5 for image in images.values())
    lamp = next(a for a in drawn if a.kind == 'lamp')
    lights = []
    for state in 'rG':
        world._traffic.state = lambda tls, link, s=state: s  # type: ignore[method-assign]
        place = world.pose
        c, s = math.cos(lamp.heading_rad), math.sin(lamp.heading_rad)
        pose = type(place)(lamp.x_m - 12 * c, lamp.y_m - 12 * s, lamp.heading_rad, 0.0)
        world.pose = pose
        lights.append(world.images({'front'})['front'].astype(int))
        world.pose = place
    changed = np.abs(lights[0] - lights[1]).max(2) > 80
    assert 4 <= changed.sum() < 400, 'a lamp is a few pixels'
    reddest = lights[0][changed].mean(0)
    assert reddest[0] > reddest[1]
    after = road.images()
    assert all((before[name] == after[name]).all() for name in before)
    road.close()


def test_the_expert_drives_the_town_through_the_whole_path() -> None:
    scenario = SCENARIO.model_copy(update={'goal_m': 60.0})
    row = rollout(scenario, 5, ExpertPlanner(load_profile('nano')))
    assert row.right and row.red_lights == 0 and row.collisions == 0 and row.fallback_plans == 0
