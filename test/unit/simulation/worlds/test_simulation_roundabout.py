"""The roundabout: geometry, priority, instructions, the expert's wait."""

import math

import numpy as np
import pytest

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.maps.roundabout_map import ARMS, RADIUS_M, YIELD_M, RoundaboutMap
from alpamayo_ros.simulation.path_road import intruders, lane_cars
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.roundabout import Roundabout
from alpamayo_ros.simulation.worlds.roundabout_traffic import RoundaboutTraffic, has_priority

SCENARIO = load_scenario('roundabout_quiet')


def roundabout(seed: int, render: bool = False, cars: int = 0, exit_: int = 2) -> Roundabout:
    update = {
        'traffic': SCENARIO.traffic.model_copy(update={'cars': cars}),
        'road': SCENARIO.road.model_copy(update={'exit': exit_}),
    }
    world = open_world(SCENARIO.model_copy(update=update), seed, render)
    assert isinstance(world, Roundabout)
    return world


def on_ring(angle_rad: float, speed_mps: float = 5.0) -> Agent:
    x, y = RADIUS_M * math.cos(angle_rad), RADIUS_M * math.sin(angle_rad)
    return Agent(7, 'car', x, y, angle_rad + math.pi / 2, speed_mps, 0, 4.5, 1.8, (1, 1, 1), False)


@pytest.mark.parametrize('exit_number', [1, 2, 3, 4])
def test_every_way_goes_round_anticlockwise_and_out_by_its_exit(exit_number: int) -> None:
    way = RoundaboutMap(3)
    road = way.way(0, exit_number)
    away = np.hypot(road.position[:, 0], road.position[:, 1])
    assert away.min() > RADIUS_M - 1.5 and np.abs(road.curvature).max() < 0.2
    inside = road.position[away < RADIUS_M + 1]
    turned = np.unwrap(np.arctan2(inside[:, 1], inside[:, 0]))
    assert (np.diff(turned) > -1e-6).all(), 'anticlockwise'
    out, left = way.axis(exit_number % ARMS)
    end = road.position[-1]
    assert end @ out > 100 and -3.0 < end @ left < 0.0, 'on the right of the arm, looking out'
    assert np.hypot(*road.at(way.yield_arc(road))[0]) == pytest.approx(YIELD_M, abs=0.6)


def test_who_comes_round_has_priority_and_who_has_passed_has_not() -> None:
    entry = 1.0
    assert has_priority(on_ring(entry - 0.8), entry) and has_priority(on_ring(entry), entry)
    assert not has_priority(on_ring(entry + 0.8), entry), 'past the entry'
    assert not has_priority(on_ring(entry - 2.5), entry), 'far away'
    far = Agent(8, 'car', 40.0, 0.0, 0.0, 5, 0, 4.5, 1.8, (1, 1, 1), False)
    assert not has_priority(far, 0.1), 'not on the ring'


def test_the_expert_waits_at_the_line_and_goes_when_it_is_free() -> None:
    world = roundabout(0)
    blocker = [on_ring(world.way.entry_angle(0) - 0.5)]
    world._traffic.agents = lambda: blocker  # type: ignore[method-assign]
    for _ in range(150):
        world.step(*expert.control(world))
    gap = world.line_m - world.arc_m - world.vehicle.rear_axle_to_front_m
    assert world.pose.speed_mps < 0.1 and 0.0 < gap < 2.5 and world.outcome.end == ''
    blocker.clear()
    while not world.done:
        world.step(*expert.control(world))
    assert world.outcome.end == 'goal' and world.outcome.collisions == 0


def test_cars_give_way_to_the_ego_on_the_ring() -> None:
    way = RoundaboutMap(1)
    traffic = RoundaboutTraffic(way, 1, 1)
    car = traffic.cars[0]
    trip = traffic.trips[car.id]
    car.arc_m, car.speed_mps = trip.line_m - 20.0, 5.0
    ego = on_ring(way.entry_angle(trip.arm) - 0.6, 0.0)
    for _ in range(100):
        traffic.step(ego, 0.1)
    assert car.speed_mps < 0.3 and -0.5 < trip.line_m - car.front_m < 4.0


def test_two_drives_of_a_seed_are_equal_and_nobody_else_collides() -> None:
    traces = []
    for _ in range(2):
        world = roundabout(2, cars=14)
        for _ in range(150):
            world.step(*expert.control(world))
            places = np.array([(a.x_m, a.y_m) for a in world.agents()])
            apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
            assert apart[~np.eye(len(places), dtype=bool)].min() > 1.8
        traces.append(places.tolist())
    assert traces[0] == traces[1]


def test_a_bumper_in_the_way_is_seen_before_the_middle_is() -> None:
    road = RoundaboutMap(0).way(0, 2)
    x, y, heading = road.pose(60.0, -3.4, math.pi / 2)
    across = Agent(7, 'car', x, y, heading, 2.0, 0, 4.5, 1.8, (1, 1, 1), False)
    assert not lane_cars(road, 40.0, [across])
    (seen,) = intruders(road, 40.0, [across])
    assert 57.0 < seen.rear_arc_m < 61.0 and seen.speed_mps < 0.2
    assert not intruders(road, 40.0, []) and not intruders(road, 70.0, [across])


def test_cars_come_slowly_to_the_line() -> None:
    road = RoundaboutMap(0).way(0, 2)
    line = RoundaboutMap(0).yield_arc(road)
    assert road.limit(line - 1.0) <= 4.0 and road.limit(line - 40.0) > 8.0
    limits = road.speed_limit
    braking = (limits[:-1] ** 2 - limits[1:] ** 2) / 2 / 0.5
    assert braking.max() < 1.55, 'nobody has to brake harder than for a curve'


def test_the_instruction_names_the_exit_until_the_ring_is_left() -> None:
    world = roundabout(0, exit_=3)
    assert world.navigation.startswith('take the third exit in ')
    world.reset_ego(world.leave_m + 1.0)
    assert world.navigation == 'follow the road'


def test_pictures_show_the_island() -> None:
    pytest.importorskip('moderngl')
    world = roundabout(0, True, 8)
    images = world.images()
    assert all(image.std() > 8 for image in images.values())
    world.close()
