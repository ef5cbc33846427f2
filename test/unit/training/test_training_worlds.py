"""Random worlds come from ``train`` alone, differ, combine templates, and can be driven."""

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.training.worlds import random_world

WORLDS = [random_world(np.random.default_rng(seed)) for seed in range(10000, 10060)]
TRAIN = {s.name: s for s in templates('train')}


def test_worlds_are_of_the_training_split_and_differ_from_their_templates():
    assert {w.name for w in WORLDS} <= set(TRAIN)
    assert sum(w != TRAIN[w.name] for w in WORLDS) > 50
    assert len({w.family for w in WORLDS}) > 8


def test_the_same_seed_draws_the_same_world():
    assert random_world(np.random.default_rng(10003)) == WORLDS[3]


def test_some_worlds_hold_the_actors_of_two_templates():
    winding = [w for w in WORLDS if w.map == 'winding_road']
    more = [w for w in winding if len(w.actors) > len(TRAIN[w.name].actors)]
    assert 0.15 < len(more) / len(winding) < 0.55


def test_the_expert_drives_them_without_a_contact_of_its_own():
    faults = 0
    for seed, world in enumerate(WORLDS[:12], 10000):
        sim = open_world(world, seed, False)
        while not sim.done:
            sim.step(*expert.control(sim))
        faults += bool(sim.outcome.collisions_at_fault or sim.outcome.offroad_s)
        sim.close()
    assert faults <= 2
