"""Worlds of the stream: towns of train templates alone, families by weight, cameras remounted."""

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.outcome import STALLED_S
from alpamayo_ros.simulation.scenery.render import shared_renderer
from alpamayo_ros.simulation.sim_rig import sim_cameras
from alpamayo_ros.simulation.town_names import TRAINING_MAPS
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.training.random_worlds.worlds import random_world
from alpamayo_ros.training.stream.dense import (
    COLUMNS,
    LINE,
    LINE_AT,
    LINE_STOP,
    SIGNAL,
    THING,
    THING_AT,
    dense_truth,
)
from alpamayo_ros.training.stream.disturbance import AHEAD_M, Disturbance, room
from alpamayo_ros.training.stream.mounts import jittered
from alpamayo_ros.training.stream.settings import Jitter

TRAIN = {s.name: s for s in templates('train')}


def test_towns_are_those_of_train_templates_and_never_of_val_or_test() -> None:
    known = {s.traffic.town for s in TRAIN.values() if s.map == 'town'} - {''}
    evaluated = {s.traffic.town for split in ('val', 'test') for s in templates(split)} - {''}
    assert not known & evaluated
    worlds = [random_world(np.random.default_rng(k), towns=True) for k in range(400)]
    towns = {w.traffic.town for w in worlds if w.map == 'town'}
    assert known <= towns <= known | set(TRAINING_MAPS) and len(towns) > 10
    assert not evaluated & set(TRAINING_MAPS) and {w.name for w in worlds} <= set(TRAIN)


def test_ways_through_towns_have_several_junctions_and_some_begin_standing() -> None:
    weights = {s.family: float(s.map == 'town') for s in TRAIN.values()}
    ways = [random_world(np.random.default_rng(k), weights, towns=True) for k in range(60)]
    assert {w.map for w in ways} == {'town'}
    assert min(w.goal_m for w in ways) < 120 and max(w.goal_m for w in ways) > 280
    assert all(w.duration_s >= w.goal_m / 2 for w in ways)
    assert 5 < sum(w.start.speed_mps == 0 for w in ways) < 30
    world = open_world(max(ways, key=lambda w: w.goal_m), 10000)
    end_m = world.arc_m + world.scenario.goal_m
    assert sum(j.exit_arc_m < end_m for j in world.route.junctions) >= 2
    world.close()


def test_families_are_drawn_by_weight() -> None:
    weights = {s.family: 0.0 for s in TRAIN.values()} | {'signal': 1.0}
    drawn = [random_world(np.random.default_rng(k), weights, towns=True) for k in range(20)]
    assert {w.family for w in drawn} == {'signal'}


def test_an_exam_is_a_template_as_it_is() -> None:
    for k in range(20):
        world = random_world(np.random.default_rng(k), towns=True, plainly=True)
        assert world == TRAIN[world.name]


def test_a_remounted_camera_sees_something_else_and_goes_back() -> None:
    sim = open_world(TRAIN['fog_winding'], 10000)
    renderer, before = shared_renderer(), sim.images()['front']
    jitter = Jitter(mount_m=0.05, turn_deg=1.0)
    renderer.remount(jittered(jitter, np.random.default_rng(0)))
    moved = sim.images()['front']
    renderer.remount(sim_cameras())
    again = sim.images()['front']
    sim.close()
    assert np.abs(moved.astype(int) - before).mean() > 0.5
    assert np.array_equal(again, before) and list(sim.cameras) == list(sim_cameras())


def test_another_rig_is_no_remount() -> None:
    with pytest.raises(ValueError, match='keeps its picture'):
        shared_renderer().remount(list(sim_cameras())[::-1])


def test_dense_truth_knows_the_signal_its_line_and_what_stands_ahead() -> None:
    red = next(s for s in TRAIN.values() if s.family == 'signal')
    road = red.road.model_copy(update={'turns': '', 'signal': 'red'})
    sim = open_world(red.model_copy(update={'road': road}), 10000, False)
    seen = []
    for _ in range(120):
        row = dense_truth(sim)
        assert row.shape == (COLUMNS,) and np.isfinite(row).all() and row[SIGNAL].sum() == 1
        seen.append(row)
        sim.step(0.0, 0.5 if sim.pose.speed_mps < 6 else 0.0)
    sim.close()
    red_ahead = [r for r in seen if r[1] and r[LINE]]
    assert red_ahead and all(r[LINE_STOP] for r in red_ahead if r[LINE_AT] > 0)
    assert any(r[THING] and 0 < r[THING_AT] < 50 for r in red_ahead)


def test_a_gentle_drive_is_not_disturbed_and_another_is() -> None:
    gentle = Disturbance(np.random.default_rng(0), True)
    rough = Disturbance(np.random.default_rng(0), False)
    for command in (gentle.of_expert, gentle.of_policy):
        assert {command(0.1, 0.0, 5.0, 1.0) for _ in range(200)} == {(0.1, 0.0)}
    pushed = [rough.of_expert(0.1, 0.0, 5.0, 1.0) for _ in range(400)]
    assert any(s != 0.1 for s, _ in pushed) and any(a != 0.0 for _, a in pushed)
    assert min(a for _, a in pushed) >= -5.0


def held_steps(by: str, held_back: float, wants: float) -> list[int]:
    """How long each of 60 starts from rest is held, in steps."""
    found = []
    for seed in range(60):
        push, steps = Disturbance(np.random.default_rng(seed), False, held_back), 0
        command = push.of_expert if by == 'expert' else push.of_policy
        for _ in range(10):
            command(0.0, 0.0, 0.0, 1.0)
        for _ in range(60):
            if command(0.0, wants, 0.0, 1.0)[1] > 0:
                break
            steps += 1
        found.append(steps)
    return found


@pytest.mark.parametrize('by', ['expert', 'policy'])
def test_a_share_of_the_starts_is_held_back_and_no_drive_stalls_by_it(by: str) -> None:
    held = [k for k in held_steps(by, 0.5, 1.5) if k >= 10]
    assert 0.25 < len(held) / 60 < 0.75
    assert max(held) * 0.1 < STALLED_S - 1.0 and len(set(held)) > 5
    assert set(held_steps(by, 0.0, 1.5)) == {0}, 'held although nothing is asked for'
    assert set(held_steps(by, 1.0, 0.1)) == {0}, 'who creeps while it waits does not start'


def test_a_start_that_was_held_back_once_goes_on_and_the_next_is_drawn_again() -> None:
    push = Disturbance(np.random.default_rng(0), False, 1.0)
    standing = [push.of_policy(0.0, 1.5, 0.0, 1.0)[1] for _ in range(100)]
    assert 0.0 in standing and set(standing[60:]) == {1.5}
    push.of_policy(0.0, 1.5, 3.0, 1.0)
    assert 0.0 in [push.of_policy(0.0, 1.5, 0.0, 1.0)[1] for _ in range(20)]


def red_light(held_back: float, number: int) -> tuple[int, int, str]:
    """Steps that stand before a green light, red lights run and the end of a disturbed drive."""
    sim = open_world(TRAIN['signal_turns_red'], 20001)
    push, waits = Disturbance(np.random.default_rng(number), False, held_back), 0
    while not sim.done:
        steering, acceleration = expert.control(sim)
        speed_mps = sim.pose.speed_mps
        waits += speed_mps < 0.05 and acceleration > 1.0 and sim.light_ahead(20.0) == 'green'
        sim.step(*push.of_expert(steering, acceleration, speed_mps, 1.0))
    sim.close()
    return waits, sim.outcome.red_lights, sim.outcome.end


def test_who_is_held_back_at_a_green_light_is_told_to_go_and_gets_through() -> None:
    free, held = red_light(0.0, 0), red_light(1.0, 0)
    assert free[0] <= 3 and held[0] >= 8 and free[2] == held[2] == 'goal'


def test_a_car_that_waits_at_a_red_light_is_not_pushed_across_it() -> None:
    """Pushed as hard as a driving car, five of these ran the red light; two are pushed before."""
    assert sum(red_light(0.0, number)[1] for number in range(10)) <= 3


def test_between_cones_the_steering_is_pushed_less_and_drives_go_on() -> None:
    ends = []
    for spared in (False, True):
        for seed in range(20000, 20008):
            sim = open_world(TRAIN['works_narrow'], seed)
            push, tight = Disturbance(np.random.default_rng(seed), False), set()
            while not sim.done:
                share = room(sim.objects(AHEAD_M)) if spared else 1.0
                tight.add((share < 1, 70 < sim.arc_m < 90))
                sim.step(*push.of_expert(*expert.control(sim), sim.pose.speed_mps, share))
            sim.close()
            assert not spared or ((True, True) in tight and (False, True) not in tight)
            ends.append((spared, sim.outcome.contact == 'cone'))
    assert ends.count((False, True)) >= 3 * max(ends.count((True, True)), 1)
