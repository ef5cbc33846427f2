"""Random worlds come from ``train`` alone, differ, combine templates, and can be driven."""

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.simulation.actor_models import Crossing
from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.training.random_worlds.drawn_actors import (
    EGO_HALF_M,
    HALF_M,
    bystanders,
    drawn_actors,
)
from alpamayo_ros.training.random_worlds.worlds import random_world

WORLDS = [random_world(np.random.default_rng(seed)) for seed in range(10000, 10060)]
TRAIN = {s.name: s for s in templates('train')}


def test_worlds_are_of_the_training_split_and_differ_from_their_templates():
    assert {w.name for w in WORLDS} <= set(TRAIN)
    assert sum(w != TRAIN[w.name] for w in WORLDS) > 50
    assert len({w.family for w in WORLDS}) > 8


def test_the_same_seed_draws_the_same_world():
    assert random_world(np.random.default_rng(10003)) == WORLDS[3]


def test_some_worlds_hold_more_actors_than_their_template_also_of_kinds_that_none_has():
    winding = [w for w in WORLDS if w.map == 'winding_road']
    more = [w for w in winding if len(w.actors) > len(TRAIN[w.name].actors)]
    assert 0.4 < len(more) / len(winding) < 0.9
    many = [random_world(np.random.default_rng(seed)) for seed in range(20000, 20300)]
    kinds = {a.kind for s in TRAIN.values() for a in s.actors}
    assert 'lost_load' in {a.kind for w in many for a in w.actors} - kinds


def test_road_works_differ_from_their_template_and_some_closed_lanes_have_no_way_past():
    many = [random_world(np.random.default_rng(seed)) for seed in range(20000, 20400)]
    shifts = {k: [c.shift_m for w in many for c in w.road.closures if c.kind == k]
              for k in ('construction', 'lane_closure')}  # fmt: skip
    assert min(shifts['construction']) < -0.25 and max(shifts['construction']) > 1.2
    assert set(shifts['lane_closure']) == {0.0, 3.3}
    works = [w for w in many if w.road.closures]
    halted = [a for w in works for a in w.actors if a.kind == 'stopped' and not a.detour_m]
    assert len(works) > 30 and not halted


def test_what_stands_aside_is_passed_on_the_other_side_with_room():
    rng, passed = np.random.default_rng(5), 0
    for _ in range(200):
        for actor in drawn_actors(rng, 90.0):
            if getattr(actor, 'detour_m', 0) and actor.kind in ('debris', 'stopped'):
                assert actor.detour_m * actor.offset_m < 0
                half_m = HALF_M[actor.what if actor.kind == 'debris' else actor.vehicle]
                apart_m = abs(actor.offset_m - actor.detour_m)
                assert apart_m - half_m - EGO_HALF_M > 0.39
                passed += 1
    assert passed > 50
    kinds = {a.kind for _ in range(100) for a in drawn_actors(rng, 90.0, oncoming=False)}
    assert 'oncoming' not in kinds and len(kinds) == 4
    many = [a for _ in range(200) for a in drawn_actors(rng, 90.0)]
    halted = [a for a in many if a.kind == 'stopped' and not a.detour_m]
    assert len(halted) > 15 and {a.count for a in halted} >= {1, 2}


def test_some_people_stand_at_the_roadside_for_ever():
    many = [random_world(np.random.default_rng(seed)) for seed in range(20000, 20300)]
    found = [(w, a) for w in many for a in w.actors if a.kind == 'crossing']
    assert 0.3 < sum(a.stays for _, a in found) / len(found) < 0.75
    for world, _ in found:
        assert Scenario.model_validate(world.model_dump()) == world
    with pytest.raises(ValueError, match='neither halts_s nor turns_back'):
        Crossing(kind='crossing', at_m=50.0, stays=True, turns_back=True)


def test_people_walk_and_run_in_worlds_of_every_template() -> None:
    many = [random_world(np.random.default_rng(seed)) for seed in range(20000, 20600)]
    speeds: dict[str, list[float]] = {}
    for world in many:
        for a in world.actors:
            if a.kind == 'crossing' and a.who == 'pedestrian' and not a.stays:
                speeds.setdefault(world.name, []).append(a.speed_mps)
    for name in ('adult_from_right', 'behind_van_right', 'behind_car_left'):
        assert min(speeds[name]) < 1.2 and max(speeds[name]) > 2.8
    found = np.concatenate([np.array(s) for s in speeds.values()])
    assert 0.9 <= found.min() and found.max() <= 3.6
    assert 0.25 < (found > 2.0).mean() < 0.6


def test_what_templates_never_vary_is_varied() -> None:
    many = [random_world(np.random.default_rng(seed)) for seed in range(20000, 20800)]
    actors = [a for w in many for a in w.actors]
    walkers = [a for a in actors if a.kind == 'crossing']
    hidden = [a for a in walkers if a.occluder]
    assert {a.occluder for a in hidden} == {'car', 'van', 'truck'}
    assert min(a.occluder_m for a in hidden) < 1.0 and max(a.occluder_m for a in hidden) > 4.0
    leaders = [a for a in actors if a.kind == 'braking_leader']
    assert {a.lamps for a in leaders} == {True, False}
    assert {a.vehicle for a in leaders} == {'car', 'van', 'truck'}
    assert max(abs(a.turned_rad) for a in actors if a.kind == 'stopped') > 0.4
    sirens = [a for w in many if w.family == 'emergency_vehicle' for a in w.actors[:2]]
    assert any(getattr(a, 'vehicle', '') == 'emergency_car' for a in sirens)


def test_the_expert_drives_past_people_who_stand_beside_the_road() -> None:
    aside = []
    for seed in range(20000, 20006):
        people = bystanders(np.random.default_rng(seed), 80.0)
        aside += [(a.side, a.from_m, a.count) for a in people]
        world = TRAIN['adult_from_right'].model_copy(update={'actors': people})
        sim = open_world(Scenario.model_validate(world.model_dump()), seed, False)
        assert sum(a.count for a in people) == sum(
            a.kind in ('pedestrian', 'cyclist') for a in sim.agents()
        )
        while not sim.done:
            sim.step(*expert.control(sim))
        sim.close()
        assert (sim.outcome.end, sim.outcome.stops) == ('goal', 0)
    assert {s for s, _, _ in aside} == {'left', 'right'} and max(m for _, m, _ in aside) > 6.0


def test_the_expert_drives_them_without_a_contact_of_its_own():
    faults = 0
    for seed, world in enumerate(WORLDS[:12], 10000):
        sim = open_world(world, seed, False)
        while not sim.done:
            sim.step(*expert.control(sim))
        faults += bool(sim.outcome.collisions_at_fault or sim.outcome.offroad_s)
        sim.close()
    assert faults <= 2
