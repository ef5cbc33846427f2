"""Whether the instructed exit was taken: on every map that has some, and by hand."""

from __future__ import annotations

import pytest

from alpamayo_ros.simulation.drive.verdict import row
from alpamayo_ros.simulation.forks import PAST_M, Fork, note_forks
from alpamayo_ros.simulation.outcome import IN_LANE_M, Outcome
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation

FORK = Fork(10.0, 20.0)


def noted(offset_m: float, offroad_s: float, *arcs: float) -> tuple[int, int]:
    """Exits taken and missed on a way along these arcs."""
    outcome = Outcome('by_hand', 0)
    outcome.offset_m = offset_m
    for before_m, arc_m in zip(arcs, arcs[1:], strict=False):
        outcome.offroad_s = offroad_s if arc_m == arcs[-1] else 0.0
        note_forks(outcome, [FORK], before_m, arc_m)
    return outcome.exits, outcome.missed_exits


@pytest.mark.parametrize(
    ('offset_m', 'offroad_s', 'arcs', 'counts'),
    [
        (0.0, 0.0, (0.0, 9.0, 15.0, 24.0), (0, 0)),
        (0.0, 0.0, (0.0, 15.0, 24.0, 25.0, 26.0, 30.0), (1, 0)),
        (IN_LANE_M, 0.0, (24.0, 25.5), (1, 0)),
        (IN_LANE_M + 0.1, 0.0, (24.0, 25.5, 26.0), (0, 1)),
        (4.0, 0.1, (0.0, 9.0), (0, 0)),
        (4.0, 0.1, (9.0, 15.0), (0, 1)),
        (4.0, 0.1, (24.0, 25.5, 26.0), (0, 1)),
        (0.0, 0.0, (26.0, 30.0), (0, 0)),
    ],
    ids=['before', 'taken', 'at the edge', 'beside', 'off before', 'off within', 'both', 'behind'],
)
def test_a_fork_is_decided_once(
    offset_m: float, offroad_s: float, arcs: tuple[float, ...], counts: tuple[int, int]
) -> None:
    assert noted(offset_m, offroad_s, *arcs) == counts


def driven(name: str, seed: int, steering_within: float | None = None) -> Simulation:
    """By the expert; within the first fork with this steering instead."""
    sim = open_world(load_scenario(name), seed, render=False)
    first = sim.forks[0]
    while not sim.done:
        steering, acceleration = expert.control(sim)
        if steering_within is not None and first.begin_m < sim.arc_m:
            steering, acceleration = steering_within, max(acceleration, 0.3)
        sim.step(steering, acceleration)
    sim.close()
    return sim


@pytest.mark.parametrize(
    ('name', 'seed'), [('left_people_cross', 101), ('exit_packed', 100), ('roundabout_quiet', 100)]
)
def test_who_knows_the_way_takes_its_exits(name: str, seed: int) -> None:
    sim = driven(name, seed)
    passed = [f for f in sim.forks if f.end_m + PAST_M < sim.arc_m]
    assert passed and (sim.outcome.exits, sim.outcome.missed_exits) == (len(passed), 0)
    made = row(sim.scenario, sim.outcome, sim.has_lead, (0, 0), None)
    assert (made.exits, made.missed_exits) == (len(passed), 0)


@pytest.mark.parametrize(
    ('name', 'seed'), [('left_people_cross', 101), ('exit_light', 100), ('roundabout_quiet', 100)]
)
def test_who_drives_straight_on_misses_the_exit(name: str, seed: int) -> None:
    sim = driven(name, seed, steering_within=0.0)
    assert (sim.outcome.exits, sim.outcome.missed_exits) == (0, 1), sim.outcome.end
