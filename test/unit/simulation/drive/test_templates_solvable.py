"""Templates with actors: the privileged expert solves each, and one who heeds nobody does not.

Commands are applied directly; the same through the whole path, with every seed of the suite:
``alpamayo sim --suite test --planner expert`` (and train, val).
"""

import functools

import pytest

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.actors.way import Way
from alpamayo_ros.simulation.drive.drive import rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.drive.verdict import right
from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.scenario import Scenario, load_scenario, scenario_names
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation

FAMILIES = (
    'hard_braking_leader', 'stopped_car_bend', 'cut_in', 'crossing_pedestrian',
    'occluded_pedestrian', 'debris', 'emergency_vehicle', 'sensor_fault', 'construction',
    'lane_closure',
)  # fmt: skip
HARMLESS = {  # for one who keeps the lane and heeds nobody
    'siren_from_behind', 'works_narrow', 'rear_camera_lost', 'side_cameras_stutter',
    'front_camera_frozen', 'cameras_late', 'camera_lost_at_crossing',
}  # fmt: skip


def drive(scenario: Scenario, seed: int, heedless: bool = False) -> Outcome:
    sim = Simulation(scenario, seed, render=False)
    while not sim.done:
        if heedless:
            sim.actors.hazards, sim.actors.way = [], Way()
        sim.step(*expert.control(sim))
    return sim.outcome


@functools.cache
def templates() -> tuple[Scenario, ...]:
    return tuple(s for s in map(load_scenario, scenario_names()) if s.family in FAMILIES)


def harder(scenario: Scenario, severity: float) -> Scenario:
    return scenario.model_copy(update={'severity': severity})


@pytest.mark.parametrize('family', FAMILIES)
def test_the_expert_solves_every_template(family: str) -> None:
    for scenario in templates():
        if scenario.family == family:
            for severity in (0.5, 1.0):
                outcome = drive(harder(scenario, severity), 0)
                assert right(scenario, outcome, False), (scenario.name, severity, outcome)


@pytest.mark.parametrize('family', FAMILIES)
def test_who_heeds_nobody_has_an_accident_at_full_severity(family: str) -> None:
    for scenario in templates():
        if scenario.family == family and scenario.name not in HARMLESS:
            outcome = drive(harder(scenario, 1.0), 0, heedless=True)
            assert outcome.collisions_at_fault, (scenario.name, outcome)


def test_the_harder_a_template_the_closer_the_call() -> None:
    """A template where timing matters: who heeds nobody gets away with it only when it is easy."""
    names = ('tyre_at_the_right', 'siren_oncoming_in_the_middle', 'car_half_on_verge')
    for name in names:
        scenario = load_scenario(name)
        easy = scenario.model_copy(update={'severity': 0.0})
        assert drive(harder(scenario, 1.0), 0, True).collisions, name
        assert drive(easy, 0).collisions == 0, name
    assert not drive(
        harder(load_scenario('siren_oncoming_in_the_middle'), 0.0), 0, True
    ).collisions


@pytest.mark.parametrize(
    'name', ['child_runs_from_left', 'van_cuts_in_and_brakes', 'works_chicane']
)
def test_the_expert_is_right_through_the_whole_path(name: str) -> None:
    row = rollout(load_scenario(name), 0, ExpertPlanner(load_profile('nano')))
    assert row.right and row.score == 1.0 and row.fallback_plans == 0 and not row.wrong_way_s


def test_two_drives_of_a_template_are_equal() -> None:
    scenario = load_scenario('two_cut_ins')
    assert drive(scenario, 2) == drive(scenario, 2) != drive(scenario, 1)
