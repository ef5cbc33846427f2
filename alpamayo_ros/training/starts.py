"""Where training drives begin, and which worlds are kept from them.

Training seeds start at 10000; 5000 to 5999 are validation; seeds below 1000 and templates of the
splits val and test belong to evaluation and never come here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.config_file import SUFFIXES, unknown
from alpamayo_ros.simulation.scenario import Scenario, load_scenario, scenario_names
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.random_worlds.worlds import random_world

EVALUATION_SEEDS = range(0, 1000)
RANDOM = 'random'


def open_training(family: str, seed: int, rng: np.random.Generator) -> Simulation:
    """A world to be trained on, the ego at a random start; ValueError where it is evaluation's.

    ``family`` 'random': a random world of the suite's ``train`` templates.
    """
    refuse_evaluation(seed)
    if family == RANDOM:
        return open_world(random_world(rng), seed)
    sim = Simulation(training_scenario(family), seed)
    random_start(sim, family, rng)
    return sim


def random_start(sim: Simulation, family: str, rng: np.random.Generator) -> None:
    """Somewhere on the road, a little off centre, at any speed the road allows.

    One drive in six starts at rest.  ``stopped_car`` and ``slowing_leader`` always get their car,
    at a distance the ego can still brake for.
    """
    road = sim.road
    arc = float(rng.uniform(8.0, road.length_m - (230.0 if family == 'slowing_leader' else 150.0)))
    speed = (
        0.0
        if rng.random() < 0.17
        else rng.uniform(0.0, 10.0)
        if rng.random() < 0.6
        else road.limit(arc)
    )
    place = {
        'offset_m': rng.uniform(-1.0, 1.0),
        'heading_error_rad': np.radians(rng.uniform(-8, 8)),
    }
    traffic: dict[str, Any] = {'traffic_time_s': float(rng.uniform(0, 10))}
    if family == 'stopped_car':
        gap = float(rng.uniform(8.0, 110.0))
        speed = min(speed, float(np.sqrt(2 * 2.5 * max(0.4, gap - 5.0))))
        traffic['stopped_car_gap_m'] = gap
    elif family == 'slowing_leader':
        gap, leader = float(rng.uniform(6.0, 45.0)), float(rng.uniform(3.0, 9.0))
        speed = min(speed, leader + float(np.sqrt(2 * 1.5 * max(0.2, gap - 5.0))))
        traffic |= {
            'leader_gap_m': gap,
            'leader_speed_mps': leader,
            'leader_seed': int(rng.integers(1 << 30)),
        }
    sim.place(arc, place['offset_m'], place['heading_error_rad'], float(speed), **traffic)


def training_scenario(name: str) -> Scenario:
    """The scenario; ValueError where its split is val or test."""
    scenario = load_scenario(name)
    if scenario.split not in ('', 'train'):
        raise ValueError(f'{name} is of the split {scenario.split!r}: nothing is trained on it')
    return scenario


def check_family(name: str) -> None:
    """ValueError where no training drive begins there: see ``open_training``."""
    known = {RANDOM, *scenario_names()}
    if name == RANDOM:
        return
    if name not in known and Path(name).suffix not in SUFFIXES:
        raise ConfigError(unknown('family', name, known, 'alpamayo sim --list names scenarios'))
    scenario = training_scenario(name)
    if scenario.map != Simulation.map:
        raise ConfigError(
            f'{name} is on the map {scenario.map!r}: steps collect on {Simulation.map!r}, or in '
            f'{RANDOM!r} worlds'
        )


def refuse_evaluation(seed: int) -> None:
    """ValueError where the seed belongs to evaluation."""
    if seed in EVALUATION_SEEDS:
        raise ValueError(
            f'seed {seed} belongs to evaluation (0 to 999); training seeds start at 10000'
        )
