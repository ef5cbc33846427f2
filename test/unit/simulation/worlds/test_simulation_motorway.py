"""The motorway: geometry, traffic that follows and gives way, instructions, the expert's merge."""

import math

import numpy as np
import pytest

from alpamayo_ros.simulation.actors.car_following import Car, follow
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.maps.motorway_map import LEAVE_S, MERGE_S, MotorwayMap, MotorwayWay
from alpamayo_ros.simulation.path_road import PathRoad
from alpamayo_ros.simulation.road import LANE_M
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.motorway import Motorway
from alpamayo_ros.simulation.worlds.motorway_traffic import MotorwayTraffic, room_needed
from alpamayo_ros.simulation.worlds.open_world import open_world

MERGE, EXIT = load_scenario('merge_dense'), load_scenario('exit_first')


def motorway(scenario: Scenario, seed: int, render: bool = False) -> Motorway:
    world = open_world(scenario, seed, render)
    assert isinstance(world, Motorway)
    return world


@pytest.mark.parametrize('ramp', ['', 'merge', 'exit'])
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_a_car_can_follow_the_way_and_stays_on_asphalt(ramp: str, seed: int) -> None:
    way = MotorwayMap(seed, 2, ramp)
    road = MotorwayWay(way, seed)
    assert np.abs(road.curvature).max() < 1 / 15
    assert (np.linalg.norm(np.diff(road.position, axis=0), axis=1) < 0.51).all()
    for arc in np.arange(0, road.length_m - 10, 10.0):
        right, left = road.edges_m(float(arc))
        assert right <= -2.0 and left >= 2.0


def test_the_way_changes_lanes_where_it_says() -> None:
    merge, leave = MotorwayMap(0, 2, 'merge'), MotorwayMap(0, 2, 'exit')
    assert merge.way_n(MERGE_S[0]) == pytest.approx(-LANE_M) and merge.way_n(MERGE_S[1]) == 0.0
    assert leave.way_n(LEAVE_S[0]) == 0.0 and leave.way_n(LEAVE_S[1]) == pytest.approx(-LANE_M)
    assert merge.side_width(60.0) == pytest.approx(LANE_M) and merge.side_width(200.0) == 0.0
    assert merge.side_width(-20.0) == 0.0 and leave.side_width(20.0) == 0.0


def test_the_driver_model_keeps_its_distance() -> None:
    road = PathRoad(np.array([[0.0, 0.0], [500.0, 0.0]]), 0, 2.0, 30.0)
    car = Car(1, 'car', (0.5, 0.5, 0.5), road, 0.0, 9.0, 9.0)
    assert follow(car, 30.0, math.inf, 0.0) == pytest.approx(0.0)
    assert follow(car, 30.0, 8.0, 9.0) < 0 and follow(car, 5.0, math.inf, 0.0) < 0
    for _ in range(400):
        car.move(follow(car, 30.0, 200.0 - car.front_m, 0.0), 0.1)
    assert car.speed_mps < 0.3 and 1.0 < 200.0 - car.front_m < 4.0


def test_two_drives_of_a_seed_are_equal() -> None:
    traces = []
    for _ in range(2):
        world = motorway(MERGE, 1)
        for _ in range(80):
            world.step(*expert.control(world))
        traces.append([(a.id, a.x_m, a.speed_mps) for a in world.agents()])
    assert traces[0] == traces[1] and len(traces[0]) > 8


def test_a_car_that_would_hit_the_ego_brakes_and_a_courteous_one_lets_it_in() -> None:
    way = MotorwayMap(0, 2, 'merge')
    road = MotorwayWay(way, 0)
    world = motorway(MERGE, 0)
    vehicle, beside = world.vehicle, world.change_m[0] - 8.0
    for arc, polite in ((world.change_m[1] + 80, True), (beside, True), (beside, False)):
        x, y, heading = road.pose(arc)
        ego = EgoPose(x, y, heading, 6.0)
        traffic = MotorwayTraffic(way, 0, 0, 0.0)
        traffic.make_room(ego)
        at, offset = traffic.ego_on(0, ego)
        in_lane = abs(offset) < 1.0
        car = Car(100, 'car', (0.5, 0.5, 0.5), traffic.lanes[0], at - 14.0, 9.0, 9.0, polite)
        traffic.cars[0] = [car]
        traffic.step(ego, vehicle, 0.1)
        assert in_lane == (arc > beside)
        assert (car.acceleration_mps2 < -0.3) == (in_lane or polite)


def test_room_grows_with_the_difference_of_speeds() -> None:
    assert room_needed(7.0, 9.0) == 2.0 < room_needed(9.0, 7.0) < room_needed(10.0, 5.0)


def test_the_expert_merges_behind_a_car_beside_it() -> None:
    world = motorway(
        MERGE.model_copy(update={'traffic': MERGE.traffic.model_copy(update={'cars': 0})}), 0
    )
    world.reset_ego(world.change_m[0] - 25.0, speed_mps=8.0)
    arc, _ = world._traffic.ego_on(0, world.pose)
    lane = world._traffic.lanes[0]
    world._traffic.cars[0] = [Car(100, 'car', (0.5, 0.5, 0.5), lane, arc + 1.0, 8.0, 8.0, False)]
    assert len(world._obstacles()) == 2, 'the car, and where the lane change begins'
    while world.arc_m < world.change_m[1] + 15 and not world.done:
        world.step(*expert.control(world))
    assert world.outcome.collisions == 0
    arc, offset = world._traffic.ego_on(0, world.pose)
    assert abs(offset) < 0.5 and world._traffic.cars[0][0].arc_m > arc + 8


def test_instructions_name_the_manoeuvre_until_it_is_done() -> None:
    world = motorway(EXIT, 0)
    assert world.navigation.startswith('take the exit in ')
    world.reset_ego(world.change_m[1] + 5.0)
    assert world.navigation == 'follow the road'
    assert motorway(MERGE, 0).navigation.startswith('merge left in ')
    plain = EXIT.model_copy(update={'road': EXIT.road.model_copy(update={'ramp': ''})})
    assert motorway(plain, 0).navigation == 'follow the road'


def test_staying_on_the_motorway_leaves_the_instructed_way() -> None:
    world = motorway(
        EXIT.model_copy(update={'traffic': EXIT.traffic.model_copy(update={'cars': 0})}), 0
    )
    world.reset_ego(world.change_m[1] + 150.0, offset_m=7.0, speed_mps=5.0)
    world.step(0.0, 0.0)
    assert world.outcome.end == 'offroad'


def test_pictures_show_the_road() -> None:
    pytest.importorskip('moderngl')
    for scenario in (MERGE, EXIT):
        world = motorway(scenario, 0, True)
        images = world.images()
        assert all(image.std() > 8 for image in images.values())
        world.close()
