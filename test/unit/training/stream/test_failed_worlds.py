"""Worlds that the policy failed come again, three times at most, and never one held out."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.actor_models import Crossing
from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.driving_wish import PLAIN as NO_WISH
from alpamayo_ros.simulation.scenario import RoadShape, Scenario, Start, Traffic
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.training.exam.held_out import FOLDER
from alpamayo_ros.training.random_worlds.failed_worlds import MOST, TRIES, FailedWorlds, World
from alpamayo_ros.training.stream import drive_process
from alpamayo_ros.training.stream.disturbance import Disturbance
from alpamayo_ros.training.stream.drive import Drive, Terms

PLAIN = templates('train')[0]


def test_a_failed_world_comes_again_until_it_is_mastered_or_given_up() -> None:
    rng, failed = np.random.default_rng(0), FailedWorlds(1.0)
    assert failed.draw(rng) is None
    failed.note(World(PLAIN, 10007), 0.95)
    assert failed.draw(rng) is None
    failed.note(World(PLAIN, 10007), 0.0)
    for tries in range(1, TRIES + 1):
        again = failed.draw(rng)
        assert again == World(PLAIN, 10007, tries)
        assert failed.draw(rng) is None
        failed.note(again, 0.0)
    assert failed.draw(rng) is None


def test_so_many_drives_are_for_them_and_the_oldest_are_forgotten() -> None:
    rng, failed = np.random.default_rng(0), FailedWorlds(0.3)
    came = 0
    for _ in range(1000):
        failed.note(World(PLAIN, 10000), 0.0)
        came += failed.draw(rng) is not None
    assert 250 < came < 350
    kept = FailedWorlds(1.0)
    for seed in range(MOST + 5):
        kept.note(World(PLAIN, seed), 0.0)
    seeds = {world.seed for _ in range(MOST) if (world := kept.draw(rng))}
    assert seeds == set(range(5, MOST + 5)) and kept.draw(rng) is None


def test_without_a_share_nothing_is_kept() -> None:
    never, rng = FailedWorlds(0.0), np.random.default_rng(0)
    never.note(World(PLAIN, 10000), 0.0)
    assert never.draw(rng) is None and rng.random() == np.random.default_rng(0).random()


class Failing(drive_process.Driver):
    """Drives nothing: every world is failed by the policy, and noted as a drive is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.index, self.count = folder, 0, 1
        self.first_seed, self.failed = drive_process.FIRST_SEED, FailedWorlds(0.5)
        self.at = folder / 'drives_0_at.json'
        self.number = self._reached()
        self.settings = SimpleNamespace(workers=1, held_out=3, exam_share=0.5, towns=False)
        self.seen: list[tuple[str, World, drive_process.Terms]] = []

    def _drive(self, sim, world, terms, rng, place) -> None:
        assert sim.seed == world.seed and sim.scenario.name == world.scenario.name
        self.seen.append((place.name, world, terms))
        if place.name == FOLDER:
            (place / f'000_{self.number:06d}').mkdir(parents=True)
        if terms.handover is not None and place.name != FOLDER:
            self.failed.note(world, 0.0)


def test_worlds_that_are_held_out_are_driven_once_and_driven_again_is_the_policy(
    tmp_path: Path,
) -> None:
    control = {'policy_share': 0.6, 'families': {}}
    (tmp_path / 'control.json').write_text(json.dumps(control))
    driver = Failing(tmp_path)
    for _ in range(80):
        driver.drive()
    held = [world.seed for name, world, _ in driver.seen if name == FOLDER]
    again = [(world, terms) for _, world, terms in driver.seen if world.tries]
    assert len(held) == 3 and len(again) > 10
    for seed in held:
        assert sum(world.seed == seed for _, world, _ in driver.seen) == 1
    assert all(terms.handover is not None and not terms.exam for _, terms in again)
    worlds = {world.seed: world.scenario for _, world, _ in driver.seen if not world.tries}
    assert all(world.scenario == worlds[world.seed] for world, _ in again)


def test_a_process_that_fell_at_a_world_goes_on_behind_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / 'control.json').write_text('{"policy_share": 0, "families": {}}')

    def opened(scenario: Scenario, seed: int) -> SimpleNamespace:
        if seed == drive_process.FIRST_SEED + 2:
            raise RuntimeError('no such world')
        return SimpleNamespace(scenario=scenario, seed=seed, close=lambda: None)

    monkeypatch.setattr(drive_process, 'open_world', opened)
    first = Failing(tmp_path)
    with pytest.raises(RuntimeError):
        for _ in range(3):
            first.drive()
    second = Failing(tmp_path)
    second.drive()
    seeds = [world.seed - drive_process.FIRST_SEED for _, world, _ in first.seen + second.seen]
    assert seeds == [0, 1, 3]
    second.first_seed += drive_process.SEEDS_A_CALL
    assert second._reached() == 0, 'another call has worlds of its own'


def recorded() -> SimpleNamespace:
    return SimpleNamespace(
        profile=load_profile('nano'), look=lambda: None, prefix=lambda: None,
        record=lambda *_: None, wish=NO_WISH,
    )  # fmt: skip


@pytest.mark.parametrize(('ahead_s', 'braked'), [(3.0, False), (0.9, True)])
def test_an_expert_that_braked_in_vain_teaches_to_brake(ahead_s: float, braked: bool) -> None:
    runs = Crossing(kind='crossing', at_m=80.0, from_m=2.5, speed_mps=3.0, ahead_s=ahead_s)
    plain = next(s for s in templates('train') if s.name == 'adult_from_right')
    world = plain.model_copy(update={'actors': (runs,)})
    sim = open_world(Scenario.model_validate(world.model_dump()), 20000, False)
    gentle = Disturbance(np.random.default_rng(0), True)
    drive = Drive(sim, Terms(None, True), recorded(), (SimpleNamespace(), 0), gentle, lambda: True)
    drive.run(600)
    sim.close()
    assert (drive.braked, sim.outcome.contact) == (braked, 'pedestrian' if braked else '')


@pytest.mark.parametrize(
    ('handover', 'braked', 'lost', 'kept', 'again'),
    [(None, False, False, 0, 0), (None, True, False, 1, 0), (0, False, True, 1, 1)],
)
def test_which_drives_are_kept_and_which_come_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, handover: int | None, braked: bool,
    lost: bool, kept: int, again: int,
) -> None:  # fmt: skip
    """An expert's contact is dropped unless it braked; a lost policy fails whatever its score."""
    driver, written = Failing(tmp_path), list[Path]()
    driver.settings = SimpleNamespace(
        jitter=None, prompted=0.0, boards=0.0, held_back=0.0, workers=1, most_steps=1
    )
    driver.profile = driver.grammar = driver.slots = None
    driver.family = SimpleNamespace(goes_on=lambda: True)
    made = SimpleNamespace(run=lambda steps: None, braked=braked, lost=lost)
    monkeypatch.setattr(drive_process, 'Drive', lambda *_: made)
    monkeypatch.setattr(drive_process, 'Recorder', lambda *_: None)
    monkeypatch.setattr(drive_process, 'jittered', lambda *_: ())
    renderer = SimpleNamespace(remount=lambda mounts: None)
    monkeypatch.setattr(drive_process, 'shared_renderer', lambda: renderer)
    writer = SimpleNamespace(rows=[None] * drive_process.LEAST_SAMPLES)
    monkeypatch.setattr(drive_process, 'ShardWriter', lambda: writer)
    monkeypatch.setattr(driver, '_write', lambda *words: written.append(words[-1]))
    faults = 1 if handover is None else 0
    outcome = SimpleNamespace(
        collisions_at_fault=faults, offroad_s=0.0, progress=1.0, end='', red_lights=0, contact=''
    )
    sim, rng = SimpleNamespace(outcome=outcome, seed=10000), np.random.default_rng(0)
    world, terms = World(PLAIN, 10000), Terms(handover, False)
    drive_process.Driver._drive(driver, sim, world, terms, rng, tmp_path)
    assert (len(written), len(driver.failed._worlds)) == (kept, again)


@pytest.mark.parametrize(('left_mps', 'lost'), [(0.0, False), (1.0, True)])
def test_a_policy_that_leaves_its_way_is_lost(left_mps: float, lost: bool) -> None:
    """Its score may be a good one: it had come far."""
    sim = open_world(
        Scenario(
            name='s', description='', duration_s=25, start=Start(arc_m=10, speed_mps=5),
            goal_m=60, road=RoadShape(straight=True), traffic=Traffic(oncoming=False),
        ),
        20000,
        False,
    )  # fmt: skip
    plan = np.zeros((60, 3), np.float32)
    plan[:, 0] = np.arange(1, 61) * 0.5
    plan[:, 1] = np.arange(1, 61) * 0.1 * left_mps
    slots = SimpleNamespace(ask=lambda *_: 1, wait=lambda *_: plan)
    gentle = Disturbance(np.random.default_rng(0), True)
    drive = Drive(sim, Terms(0, False), recorded(), (slots, 0), gentle, lambda: True)
    drive.run(600)
    sim.close()
    assert (drive.lost, sim.outcome.end) == (lost, '' if lost else 'goal')
