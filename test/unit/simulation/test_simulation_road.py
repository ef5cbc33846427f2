"""Road geometry, traffic scripts, boxes and the bicycle."""

import math

import numpy as np
import pytest

from alpamayo_ros.simulation.agents import Leader, Oncoming, StoppedCar
from alpamayo_ros.simulation.ego import EgoPose, advance
from alpamayo_ros.simulation.leader import LeaderScript
from alpamayo_ros.simulation.oriented_boxes import Box, contact_ahead, overlap
from alpamayo_ros.simulation.road import CLEARANCE_M, LANE_M, Road
from alpamayo_ros.simulation.sim_rig import sim_vehicle

SEEDS = range(6)


@pytest.mark.parametrize('seed', SEEDS)
def test_road_is_long_enough_and_never_meets_itself(seed: int) -> None:
    road = Road(seed)
    assert road.length_m >= 480
    p = road.centre[::8]
    apart = np.abs(np.arange(len(p))[:, None] - np.arange(len(p))[None]) * 4.0 > 60
    assert np.linalg.norm(p[:, None] - p[None], axis=2)[apart].min() > CLEARANCE_M


def test_same_seed_same_road_other_seed_other_road() -> None:
    assert (Road(3).position == Road(3).position).all()
    assert not np.allclose(Road(3).position[:100], Road(4).position[:100])


@pytest.mark.parametrize('seed', SEEDS)
def test_project_inverts_pose(seed: int) -> None:
    road = Road(seed)
    for s, offset in ((20.0, 0.7), (150.3, -1.2), (310.0, 3.0)):
        x, y, heading = road.pose(s, offset)
        arc, lateral, along = road.locate(x, y, s + 1.5, rounds=4)
        assert abs(arc - s) < 0.05 and abs(lateral - offset) < 0.02
        assert abs(along - heading) < 0.01
        arcs, laterals, _ = road.project(np.array([[x, y]]), np.array([s + 1.5]))
        assert abs(arcs[0] - s) < 0.1 and abs(laterals[0] - offset) < 0.03


def test_oncoming_lane_lies_left() -> None:
    road = Road(1)
    x, y, h = road.point(100.0)
    left = np.array([x - math.sin(h) * LANE_M / 2, y + math.cos(h) * LANE_M / 2])
    assert np.linalg.norm(road.centre - left, axis=1).min() < 0.3


@pytest.mark.parametrize('seed', SEEDS)
def test_speed_limit_respects_lateral_acceleration_and_braking(seed: int) -> None:
    road = Road(seed)
    v = road.speed_limit
    assert v.max() <= 10 and (v**2 * np.abs(road.curvature)).max() <= 2.25 + 1e-6
    assert ((v[:-1] ** 2 - v[1:] ** 2) / 2 / 0.5).max() <= 1.5 + 1e-6


@pytest.mark.parametrize('seed', SEEDS)
def test_leader_brakes_stops_and_drives_on(seed: int) -> None:
    road = Road(seed)
    script = LeaderScript(road, seed, 40.0, 7.0)
    times = np.arange(0, 45, 0.05)
    rows = [script.at(t) for t in times]
    arc, speed, acceleration = (np.array([r[i] for r in rows]) for i in range(3))
    braking = np.array([r[3] for r in rows])
    assert (np.diff(arc) >= -1e-9).all() and speed.min() == pytest.approx(0, abs=1e-6)
    standing = speed < 0.05
    assert (speed[int(standing.argmax()) :] > 3).any(), 'it never drove on'
    assert acceleration.min() >= -3.01 and acceleration.max() <= 1.61
    assert braking[standing].all() and not braking[(acceleration > 0.1) & (speed > 0.2)].any()
    assert (np.abs(np.diff(arc) / 0.05 - (speed[1:] + speed[:-1]) / 2) < 0.1).all()


def test_leader_is_a_function_of_seed_and_time() -> None:
    road = Road(2)
    one, other = Leader(road, 2, 40.0, 6.0), Leader(road, 2, 40.0, 6.0)
    one.agents(30.0)
    assert one.agents(12.3) == other.agents(12.3)


def test_stopped_cars_vary_and_oncoming_cars_keep_to_their_lane() -> None:
    arcs = [StoppedCar(Road(s), s).rear_arc_m for s in range(12)]
    assert min(arcs) >= 60 and max(arcs) <= 200 and np.std(arcs) > 20
    for seed in range(12):
        road = Road(seed)
        for agent in Oncoming(road, seed).agents(4.0):
            away = np.linalg.norm(road.position - [agent.x_m, agent.y_m], axis=1)
            assert away.min() == pytest.approx(LANE_M, abs=0.1)


def test_boxes_touch_only_when_they_do() -> None:
    a = Box(0, 0, 0, 4.5, 1.8)
    assert overlap(a, Box(4.4, 0, 0, 4.5, 1.8)) and not overlap(a, Box(4.6, 0, 0, 4.5, 1.8))
    assert not overlap(a, Box(0, 1.9, 0, 4.5, 1.8)) and overlap(
        a, Box(2.6, 1.5, math.pi / 4, 4.5, 1.8)
    )
    assert contact_ahead(a, Box(4.4, 0, 0, 4.5, 1.8)) and not contact_ahead(
        a, Box(-4.4, 0, 0, 4.5, 1.8)
    )


def test_bicycle_turns_on_the_circle_of_its_steering() -> None:
    vehicle = sim_vehicle()
    ego = EgoPose(0.0, 0.0, 0.0, 5.0, 0.2)
    radius = vehicle.wheelbase_m / math.tan(0.2)
    for _ in range(30):
        ego = advance(ego, 0.2, 0.0, vehicle)
    assert math.hypot(ego.x_m, ego.y_m - radius) == pytest.approx(radius, rel=1e-3)
    assert ego.heading_rad == pytest.approx(15.0 / radius, rel=1e-6)


def test_bicycle_limits_steering_rate_and_never_reverses() -> None:
    vehicle = sim_vehicle()
    ego = advance(EgoPose(0, 0, 0, 1.0), 1.0, -30.0, vehicle)
    assert ego.steering_rad == pytest.approx(0.06) and ego.speed_mps == 0.0
    assert ego.acceleration_mps2 == pytest.approx(-10.0)
