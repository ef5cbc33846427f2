"""Scenarios, the expert, truth, the tracker and the verdicts; nothing is rendered here."""

import math

import numpy as np
import pytest

from alpamayo_ros.profile import TrajectoryFormat, load_profile
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.scenario import load_scenario, scenario_names
from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.simulation.tracker import Anchor, Motion, Reference, follow, motion_since, track
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation

FORM = load_profile('nano').trajectory


def drive(name: str, seed: int, follow_plan: bool = False) -> Simulation:
    sim = Simulation(load_scenario(name), seed, render=False)
    while not sim.done:
        command = expert.control(sim)
        if follow_plan:
            points = expert.plan(sim, FORM)
            motion = Motion(0.0, 0.0, 0.0, sim.pose.speed_mps, sim.pose.steering_rad, 0.0)
            command = track(Reference(points[:, 0], points[:, 1]), motion, sim.vehicle)
        sim.step(*command)
    return sim


def test_every_scenario_loads() -> None:
    assert {'winding_road', 'stopped_car', 'slowing_leader'} <= set(scenario_names())
    assert load_scenario('stopped_car').traffic.stopped_car_probability == 0.5


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_expert_keeps_the_lane(seed: int) -> None:
    outcome = drive('winding_road', seed).outcome
    assert outcome.end == 'goal' and outcome.succeeded and outcome.score == 1.0
    assert outcome.mean_offset_m <= 0.12 and outcome.left_lane_m == math.inf


@pytest.mark.parametrize('seed', range(4))
def test_expert_plan_through_the_tracker_stops_behind_the_stopped_car(seed: int) -> None:
    sim = drive('stopped_car', seed, follow_plan=True)
    assert sim.outcome.end == ('stopped' if sim.has_lead else 'goal')
    if sim.has_lead:
        assert 3.5 < sim.outcome.gap_m < 6.5


def test_stopped_cars_stand_on_about_half_the_seeds() -> None:
    scenario = load_scenario('stopped_car')
    share = np.mean([Simulation(scenario, s, render=False).has_lead for s in range(40)])
    assert 0.3 < share < 0.7


@pytest.mark.parametrize('seed', [0, 4, 9])
def test_expert_follows_stops_and_moves_on_again(seed: int) -> None:
    outcome = drive('slowing_leader', seed, follow_plan=True).outcome
    assert outcome.end == 'time' and not outcome.collisions
    assert outcome.restarts >= 1 and outcome.progress > 0.9


def test_driving_on_into_a_stopped_car_is_an_at_fault_collision() -> None:
    sim = Simulation(load_scenario('winding_road'), 1, render=False)
    sim.place(30.0, speed_mps=6.0, stopped_car_gap_m=12.0)
    while not sim.done:
        sim.step(expert.control(sim)[0], 0.0)
    assert sim.outcome.end == 'collision' and sim.outcome.collisions_at_fault == 1
    assert sim.outcome.score == 0.0 and not sim.outcome.succeeded


def test_leaving_the_road_and_stalling_end_a_drive() -> None:
    sim = Simulation(load_scenario('winding_road'), 1, render=False)
    sim.reset_ego(10.0)
    while not sim.done:
        sim.step(-0.3, 0.0)
    assert sim.outcome.end == 'offroad' and sim.outcome.left_lane_m < sim.outcome.distance_m + 1e-9
    sim.reset_ego(10.0)
    while not sim.done:
        sim.step(0.0, -2.0)
    assert sim.outcome.end == 'stalled' and not sim.outcome.succeeded


def test_truth_matches_how_the_ego_was_placed() -> None:
    sim = Simulation(load_scenario('winding_road'), 5, render=False)
    sim.place(60.0, 0.6, 0.05, 7.0, leader_gap_m=20.0, leader_speed_mps=4.0, leader_seed=3)
    truth = sim.truth()
    assert truth.lane_offset_m == pytest.approx(0.6, abs=0.01)
    assert truth.heading_error_rad == pytest.approx(0.05, abs=0.01)
    assert truth.leader_gap_m == pytest.approx(20.0, abs=0.1)
    assert truth.leader_speed_mps <= 4.0 and truth.arc_m == pytest.approx(60.0, abs=0.05)
    near = sim.objects()
    leader = next(o for o in near if o.id == 1)
    gap = leader.x_m - leader.length_m / 2 - sim.vehicle.rear_axle_to_front_m
    assert gap == pytest.approx(20.0, abs=2.5)
    sim.place(60.0, -0.6)
    assert sim.truth().lane_ahead_m[0] > 0, 'right of the centre, the lane lies to the left'


def test_truth_without_a_leader_is_infinite() -> None:
    truth = Simulation(load_scenario('winding_road'), 5, render=False).truth()
    assert truth.leader_gap_m == math.inf and math.isnan(truth.leader_speed_mps)


def test_plan_never_uses_what_the_leader_will_do() -> None:
    """Two leaders in the same state now, with different scripts: the same plan."""
    sim = Simulation(load_scenario('winding_road'), 5, render=False)
    plans = []
    for script in (1, 2):
        sim.place(40.0, leader_gap_m=15.0, leader_speed_mps=4.0, leader_seed=script)
        sim.scripted.lead.offset_m = 0.0
        plans.append(expert.plan(sim, FORM))
    assert plans[0].shape == (60, 3) and plans[0].dtype == np.float32
    leads = [c.acceleration_mps2 for c in sim.lane_cars()]
    assert leads and np.allclose(plans[0], plans[1], atol=0.3)


def test_plan_expects_a_braking_leader_to_stop() -> None:
    car = expert.LaneCar(50.0, 0.0, 6.0, -2.0)
    assert expert.extrapolate(car, 1.0) == (pytest.approx(55.0), pytest.approx(4.0))
    assert expert.extrapolate(car, 9.0) == (pytest.approx(59.0), pytest.approx(0.0))
    assert expert.extrapolate(expert.LaneCar(50.0, 0.0, 6.0, 1.0), 2.0) == (62.0, 6.0)


def test_tracker_uses_the_pose_since_t0_and_brakes_when_expired() -> None:
    x = np.arange(1, 61) * 0.5
    straight, vehicle = Reference(x, np.zeros(60)), sim_vehicle()
    left_of_it = Motion(2.0, 0.5, 0.0, 5.0, 0.0, 0.4)
    steering, acceleration = track(straight, left_of_it, vehicle)
    assert steering < -0.02 and abs(acceleration) < 0.1
    assert track(straight, left_of_it, vehicle, expired=True)[1] < -2.0
    slow = Reference(x * 0.2, np.zeros(60))
    assert track(slow, Motion(0, 0, 0, 5.0, 0.0, 0.0), vehicle)[1] < -3


def test_two_drives_of_one_seed_are_equal() -> None:
    one, other = drive('slowing_leader', 2), drive('slowing_leader', 2)
    assert one.pose == other.pose and one.outcome == other.outcome


@pytest.mark.parametrize('heading_rad', [0.0, 1.0, np.pi - 0.05, -np.pi + 0.05, 3 * np.pi])
@pytest.mark.parametrize('turned_rad', [-0.1, 0.0, 0.1])
def test_a_command_does_not_depend_on_where_the_heading_wraps(heading_rad, turned_rad):
    """The same place relative to the plan, anchored at headings on both sides of +-pi."""
    vehicle, local = sim_vehicle(), (2.0, 0.3)
    reference = Reference(np.arange(1, 61) * 0.5, np.zeros(60))
    expected = track(reference, Motion(*local, turned_rad, 5.0, 0.02, 0.4), vehicle)
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    x_m, y_m = 7.0 + cos * local[0] - sin * local[1], -3.0 + sin * local[0] + cos * local[1]
    wrapped = np.angle(np.exp(1j * (heading_rad + turned_rad)))
    for heading in (heading_rad + turned_rad, wrapped):
        pose, anchor = EgoPose(x_m, y_m, heading, 5.0, 0.02), Anchor(7.0, -3.0, heading_rad)
        assert motion_since(anchor, pose, 0.4).heading_rad == pytest.approx(turned_rad, abs=1e-9)
        assert follow(reference, anchor, pose, 0.4, vehicle) == pytest.approx(expected, abs=1e-9)


def test_expert_plans_in_the_format_it_is_asked_for() -> None:
    """Half the points at twice the spacing are the same way, to the error of a longer step."""
    sim = Simulation(load_scenario('winding_road'), 1, render=False)
    fine = expert.plan(sim, FORM)
    coarse = expert.plan(sim, TrajectoryFormat(points=30, dt_s=0.2))
    assert (fine.shape, coarse.shape) == ((60, 3), (30, 3))
    assert np.abs(coarse - fine[1::2]).max() < 0.3
