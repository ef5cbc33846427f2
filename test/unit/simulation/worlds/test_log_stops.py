"""A recorded scene is judged by where and when its driver stood, and by the driver's whole way."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from log_scene import PROVENANCE, driven, lane, scenario

from alpamayo_ros.datasets.log_build import Material, Seen, build
from alpamayo_ros.datasets.log_format import Log
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.drive.verdict import right
from alpamayo_ros.simulation.oriented_boxes import Box, contact_ahead
from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.accounting import note_contacts
from alpamayo_ros.simulation.worlds.contacts import side
from alpamayo_ros.simulation.worlds.log_world import LogWorld
from alpamayo_ros.simulation.worlds.open_world import open_world

Driver = Callable[[LogWorld], tuple[float, float]]


def log_of(speeds_mps: list[float], agents: tuple[Seen, ...] = ()) -> Log:
    """A driver to the east with these speeds, one every 0.1 s."""
    x = np.concatenate([[0.0], np.cumsum(np.array(speeds_mps[:-1]) * 0.1)])
    t = np.arange(len(x)) * 0.1
    ego = Seen('ego', 'car', 4.5, 1.8, t, np.stack([x, 0 * x], 1), 0 * x)
    return build(Material('stops', PROVENANCE, ego, agents, (lane(0.0), lane(3.5, back=True))))


def stopping(from_mps: float, stands_s: float, again_mps: float = 0.0) -> list[float]:
    """Four seconds of driving, a stop at 2 m/s2, standing, and perhaps driving on for 6 s."""
    braking = np.arange(from_mps, 0.0, -0.2).tolist()
    away = np.minimum(np.arange(60) * 0.15, again_mps).tolist() if again_mps else []
    return [from_mps] * 40 + braking + [0.0] * round(stands_s * 10) + away


def drive(log: Log, folder: Path, driver: Driver) -> LogWorld:
    sim = open_world(scenario(log, folder), 0, render=False)
    assert isinstance(sim, LogWorld)
    while not sim.done:
        sim.step(*driver(sim))
    return sim


def ignoring(sim: LogWorld) -> tuple[float, float]:
    """Straight on at 6 m/s."""
    return 0.0, 6.0 - sim.pose.speed_mps


def judged(sim: LogWorld) -> bool:
    return right(sim.scenario, sim.outcome, sim.has_lead)


@pytest.mark.parametrize(
    'speeds',
    [
        stopping(6.0, 4.0),
        stopping(6.0, 4.0, 4.0),
        [0.0] * 30 + stopping(0.0, 0.0, 4.0)[40:],
        [3.0] * 4 + [0.0] * 90,
    ],
    ids=['at the end', 'in the middle', 'at the start', 'after a metre'],
)
def test_who_ignores_a_stop_of_the_recorded_driver_fails(speeds: list[float], tmp_path: Path):
    good = drive(log_of(speeds), tmp_path, expert.control)
    assert judged(good), good.outcome
    assert good.outcome.rules.stop_lines == 0
    bad = drive(log_of(speeds), tmp_path, ignoring)
    assert bad.outcome.rules.stop_lines == 1
    assert not judged(bad)


def test_a_driver_who_stands_at_the_end_is_judged_to_the_end(tmp_path: Path):
    sim = drive(log_of([3.0] * 4 + [0.0] * 90), tmp_path, expert.control)
    assert (sim.outcome.end, round(sim.outcome.duration_s)) == ('time', 9)
    assert sim.pose.speed_mps < 0.1


def test_who_is_late_may_drive_past_a_stop_that_is_over(tmp_path: Path):
    log = log_of(stopping(6.0, 2.0, 4.0))

    def late(sim: LogWorld) -> tuple[float, float]:
        return 0.0, (3.0 if sim.now_ns < 7_000_000_000 else 6.0) - sim.pose.speed_mps

    sim = drive(log, tmp_path, late)
    assert sim.outcome.rules.stop_lines == 0


def test_progress_is_against_the_whole_way(tmp_path: Path):
    queue = driven('queue', 24.0, 0.0, seconds=8.0)
    log = log_of([8.0] * 80, (queue,))

    def creeping(sim: LogWorld) -> tuple[float, float]:
        return 0.0, 2.0 - sim.pose.speed_mps

    sim = drive(log, tmp_path, creeping)
    assert sim.outcome.progress == pytest.approx(sim.outcome.distance_m / 63.2, rel=0.02)
    assert not judged(sim)


def test_a_parked_car_that_the_tail_hits_stays_and_is_a_fault(tmp_path: Path):
    parked = driven('parked', 15.0, 0.0, -2.2, seconds=9.0)
    sim = open_world(scenario(log_of([5.0] * 90, (parked,)), tmp_path), 0, render=False)
    assert isinstance(sim, LogWorld)
    while not sim.done and not sim.ran_into_ego:
        sim.step(-0.5 if sim.now_ns >= 2_900_000_000 else 0.0, 0.0)
    (agent,) = sim.agents()
    other = Box(agent.x_m, agent.y_m, agent.heading_rad, agent.length_m, agent.width_m)
    assert not contact_ahead(sim.ego_box(), other)
    assert (sim.ran_into_ego, sim.outcome.collisions_at_fault) == (0, 1)


def someone(x_m: float, y_m: float, speed_mps: float, kind: str = 'car') -> Agent:
    return Agent(1, kind, x_m, y_m, 0.0, speed_mps, 0.0, 4.5, 1.8, (0.5, 0.5, 0.5), False)


@pytest.mark.parametrize(
    ('agent', 'expected'),
    [
        (someone(10.0, 0.0, 3.0), ''),
        (someone(4.0, 0.0, 3.0), 'ahead'),
        (someone(-4.0, 0.0, 9.0), 'behind'),
        (someone(-4.0, 0.0, 3.0), 'beside'),
        (someone(-4.0, 0.0, 0.0), 'ahead'),
        (someone(-2.0, 1.6, 3.0), 'beside'),
        (someone(-4.0, 0.0, 9.0, 'cyclist'), 'ahead'),
    ],
)
def test_which_side_a_contact_is_on(agent: Agent, expected: str):
    assert side(Box(0.0, 0.0, 0.0, 4.5, 1.8), 5.0, agent) == expected


@pytest.mark.parametrize(('offset_m', 'faults'), [(0.2, 0), (1.2, 1)])
def test_a_contact_beside_is_a_fault_of_who_is_in_two_lanes(offset_m: float, faults: int):
    outcome = Outcome('made_up', 0)
    outcome.note(10.0, offset_m, 5.0, math.inf, 0.1)
    mine = Box(0.0, 0.0, 0.0, 4.5, 1.8)
    note_contacts(outcome, mine, 5.0, [someone(-2.0, 1.6, 3.0)])
    assert (outcome.collisions, outcome.collisions_at_fault) == (1, faults)
