"""Staged scenes of the town: the first junction is the one that was asked for."""

import pytest

pytest.importorskip('libsumo')

from alpamayo_ros.simulation.maps.town_map import town_map
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert, town
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.town import FIRST_M, Town

pytestmark = pytest.mark.timeout(180)  # a machine that trains beside the tests


@pytest.fixture
def staged():
    opened: list[Town] = []

    def build(name: str, seed: int = 0) -> Town:
        world = open_world(load_scenario(name), seed, False)
        assert isinstance(world, Town)
        opened.append(world)
        return world

    yield build
    for world in opened:
        world.close()


def shown(world: Town) -> str:
    first = world.route.junctions[0]
    return world._traffic.state(first.tls, first.link)


@pytest.mark.parametrize(
    ('name', 'turn', 'at_first'),
    [
        ('signal_red_right', 'r', 'r'),
        ('signal_stays_green', 's', 'gG'),
        ('left_on_green', 'l', 'gG'),
    ],
)
def test_turn_and_signal_are_as_asked(staged, name: str, turn: str, at_first: str) -> None:
    world = staged(name)
    first = world.route.junctions[0]
    assert first.turn == turn and first.tls and shown(world) in at_first
    assert first.stop_arc_m - world.arc_m >= FIRST_M
    front = world.arc_m + world.vehicle.rear_axle_to_front_m
    ahead = [c for c in world._traffic_cars() if front < c.rear_arc_m < first.stop_arc_m - 1]
    assert not ahead, 'nobody between the ego and a signal that was set'


def test_the_signal_turns_red_before_the_ego_arrives_and_the_expert_stops(staged) -> None:
    world = staged('signal_turns_red')
    assert shown(world) in 'gG'
    seen = ''
    for _ in range(130):
        world.step(*expert.control(world))
        seen += shown(world)
    assert 'y' in seen and 'r' in seen and world.outcome.red_lights == 0
    assert world.pose.speed_mps < 0.1


def test_cars_come_towards_a_left_turn_and_the_expert_lets_them_pass(staged) -> None:
    world = staged('left_on_green', 1)
    x, y, heading = world.road.point(world.route.junctions[0].stop_arc_m)
    names = world._traffic._sumo.vehicle.getIDList()
    assert sum(n.startswith('opposing') for n in names) >= 3
    waited = False
    for _ in range(300):
        waited |= bool(world._first_over(world.route.junctions[0]))
        world.step(*expert.control(world))
        if world.done:
            break
    assert waited and world.outcome.collisions == 0
    assert world.arc_m > world.route.junctions[0].exit_arc_m


def test_cars_behind_the_ego_see_it_from_the_start(staged) -> None:
    world = staged('left_then_straight', 1)
    sumo = world._traffic._sumo
    lane = sumo.vehicle.getLaneID('ego')
    order = sumo.lane.getLastStepVehicleIDs(lane)
    places = [sumo.vehicle.getLanePosition(n) for n in order]
    assert places == sorted(places)


def test_streets_towards_a_junction_end_beside_the_egos() -> None:
    streets = town_map('town_0')
    found = [e for e in streets.edges if streets.opposing(e)]
    assert len(found) > 5
    towards, back = streets.opposing(found[0])[-2:]
    assert back[2:] == found[0][:2] and towards[2:] == found[0][2:], 'netgenerate names from-to'


def test_a_route_that_no_map_has_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(town, 'TRIES', 20)
    scenario = load_scenario('left_on_green')
    road = scenario.road.model_copy(update={'turns': 'lllllllllll'})
    with pytest.raises(ValueError, match='no route'):
        open_world(scenario.model_copy(update={'road': road}), 0, False)
