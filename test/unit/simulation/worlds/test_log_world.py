"""Driving through a recorded scene: path, agents, signals, edges, contacts, and its end."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from log_scene import driven, lane, scenario, scene

from alpamayo_ros.datasets.log_format import Log
from alpamayo_ros.datasets.log_map import Drawn, Light
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.log_world import LogWorld
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation


def _open(log: Log, folder: Path, **traffic: object) -> LogWorld:
    sim = open_world(scenario(log, folder, **traffic), 0, render=False)
    assert isinstance(sim, LogWorld)
    return sim


def _drive(sim: Simulation) -> Simulation:
    while not sim.done:
        sim.step(*expert.control(sim))
    return sim


def test_the_expert_drives_what_the_recorded_driver_drove(tmp_path: Path) -> None:
    sim = _drive(_open(scene((driven('a', 30.0, 8.0),)), tmp_path))
    assert sim.outcome.end in ('goal', 'time')
    assert sim.outcome.distance_m == pytest.approx(64.0, abs=2.0)
    assert sim.outcome.offset_max_m < 0.1
    assert sim.outcome.progress > 0.95


def test_the_start_is_that_of_the_record(tmp_path: Path) -> None:
    sim = _open(scene(), tmp_path)
    box = sim.ego_box()
    assert (box.x_m, box.y_m) == pytest.approx((0.0, 0.0), abs=0.05)
    assert sim.pose.speed_mps == pytest.approx(8.0)
    assert (sim.arc_m, sim.scenario.duration_s) == (0.0, 8.0)


def test_agents_are_where_they_were_whatever_the_ego_does(tmp_path: Path) -> None:
    sim = _open(scene((driven('a', 20.0, 5.0, 3.5),)), tmp_path)
    for _ in range(20):
        sim.step(0.0, -3.0)
    (agent,) = sim.agents()
    assert (agent.x_m, agent.y_m) == pytest.approx((30.0, 3.5))
    assert agent.speed_mps == pytest.approx(5.0)


def test_the_same_drive_twice(tmp_path: Path) -> None:
    log = scene((driven('a', 25.0, 4.0), driven('b', 60.0, 8.0, 3.5, heading_rad=math.pi)))
    poses = [_drive(_open(log, tmp_path)).pose for _ in range(2)]
    assert poses[0] == poses[1]


def test_it_is_over_with_the_last_step_of_the_log(tmp_path: Path) -> None:
    sim = _open(scene(), tmp_path)
    while not sim.done:
        sim.step(0.0, -0.4)
    assert (sim.outcome.end, sim.now_ns) == ('time', 8_000_000_000)


def test_a_leader_is_followed(tmp_path: Path) -> None:
    sim = _open(scene((driven('a', 14.0, 3.0),)), tmp_path)
    assert sim.truth().leader_gap_m == pytest.approx(14.0 - 4.5, abs=0.6)
    _drive(sim)
    assert (sim.outcome.collisions, sim.outcome.end) == (0, 'time')


@pytest.mark.parametrize('immune', [True, False])
def test_who_cannot_react_and_hits_from_behind(immune: bool, tmp_path: Path) -> None:
    sim = _open(scene((driven('a', -12.0, 9.0),)), tmp_path, rear_immunity=immune)
    while not sim.done and sim.now_ns < 5_000_000_000:
        sim.step(0.0, -3.0)
    assert sim.outcome.collisions_at_fault == 0
    assert sim.ran_into_ego == int(immune)
    assert sim.outcome.end == ('' if immune else 'collision')
    assert len(sim.agents()) == int(not immune)


def test_who_left_is_there_again_after_a_reset(tmp_path: Path) -> None:
    sim = _open(scene((driven('a', -12.0, 9.0),)), tmp_path)
    while not sim.ran_into_ego:
        sim.step(0.0, -3.0)
    sim.place(0.0)
    assert len(sim.agents()) == 1
    assert sim.ran_into_ego == 0


def test_a_contact_ahead_is_the_egos_fault(tmp_path: Path) -> None:
    sim = _open(scene((driven('a', 20.0, 0.0),)), tmp_path)
    while not sim.done:
        sim.step(0.0, 0.0)
    assert (sim.outcome.end, sim.outcome.collisions_at_fault) == ('collision', 1)


def test_a_person_in_the_way_is_waited_for(tmp_path: Path) -> None:
    person = driven('p', 35.0, 0.0, 0.5, 'pedestrian')
    sim = _drive(_open(scene((person,)), tmp_path))
    assert (sim.outcome.collisions, sim.outcome.end) == (0, 'time')
    assert sim.pose.speed_mps < 0.5


def test_a_red_signal_is_obeyed_and_running_it_is_noted(tmp_path: Path) -> None:
    red = Light('lane0.0', (30.0, 0.0), (0,), ('red',))
    other = Light('lane3.5', (40.0, 3.5), (0,), ('red',))
    sim = _open(scene(signals=(red, other)), tmp_path)
    assert sim.light_ahead(60.0) == 'red'
    _drive(sim)
    assert (sim.outcome.red_lights, sim.outcome.rules.stop_lines) == (0, 0)
    assert sim.pose.speed_mps < 0.5
    assert 27.0 < sim.arc_m + sim.vehicle.rear_axle_to_front_m < 30.0 + 1.5
    sim = _open(scene(signals=(red,)), tmp_path)
    while not sim.done:
        sim.step(0.0, 0.0)
    assert sim.outcome.red_lights == 1


def test_road_edges_of_the_map_end_the_road(tmp_path: Path) -> None:
    x = np.array([-60.0, 300.0])
    edge = Drawn('road_edge', np.stack([x, np.full(2, -2.5)], 1))
    sim = _open(scene(lines=(lane(0.0), lane(3.5, back=True), edge)), tmp_path)
    right, left = sim.road.edges_m(20.0)
    assert right == pytest.approx(-2.5, abs=0.3)
    assert left == pytest.approx(5.25, abs=0.5)  # as far as the lanes
    bare = _open(scene(lines=(edge,)), tmp_path)
    assert bare.road.edges_m(20.0)[1] == 2.0
    while not bare.done:
        bare.step(0.05, 0.0)
    assert bare.outcome.end == 'offroad'


def test_the_lane_of_oncoming_traffic_is_the_wrong_way(tmp_path: Path) -> None:
    sim = _open(scene(), tmp_path)
    sim.reset_ego(20.0, offset_m=3.2, speed_mps=5.0)
    sim.step(0.0, 0.0)
    sim.step(0.0, 0.0)
    assert sim.outcome.rules.wrong_way_s > 0
    sim.reset_ego(20.0, offset_m=0.5, speed_mps=5.0)
    sim.step(0.0, 0.0)
    sim.step(0.0, 0.0)
    assert sim.outcome.rules.wrong_way_s == 0


def test_a_turn_of_the_recorded_path_is_announced(tmp_path: Path) -> None:
    from alpamayo_ros.datasets.log_build import Material, Seen, build
    from alpamayo_ros.datasets.log_format import Provenance

    t = np.arange(0, 10.0, 0.1)
    heading = np.clip((t - 5.0) / 2.0, 0, 1) * math.pi / 2
    xy = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * 0.8, 0)
    ego = Seen('ego', 'car', 4.5, 1.8, t, xy, heading)
    about = Provenance(source='made up', licence='CC0')
    sim = _open(build(Material('turn', about, ego, ())), tmp_path)
    assert 'left' in sim.navigation
    sim = _drive(sim)  # type: ignore[assignment]
    assert sim.outcome.end in ('goal', 'time')
    assert sim.outcome.offset_max_m < 0.5


def test_a_recorded_driver_who_stands_gives_a_straight_road(tmp_path: Path) -> None:
    sim = _open(scene(speed_mps=0.0), tmp_path)
    assert sim.road.edges_m(0.0)[0] < 0
    _drive(sim)
    assert sim.outcome.collisions == 0


def test_the_good_driver_leads_in(tmp_path: Path) -> None:
    sim = _open(scene(), tmp_path, lead_in_s=1.0)
    for _ in range(10):
        sim.step(0.0, -5.0)
    assert sim.pose.speed_mps == pytest.approx(8.0, abs=0.8)
    before = sim.pose.speed_mps
    sim.step(0.0, -5.0)
    assert sim.pose.speed_mps == pytest.approx(before - 0.5, abs=0.05)
