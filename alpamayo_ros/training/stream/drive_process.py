"""One simulator process: drives random worlds until the run stops, each drive a shard.

``python -m alpamayo_ros.training.stream.drive_process FOLDER INDEX COUNT``
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from alpamayo_ros.metrics import scores
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.scenery.render import shared_renderer
from alpamayo_ros.simulation.sim_rig import sim_cameras
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.simulation.worlds.town import Town
from alpamayo_ros.training.batches import choice_weights
from alpamayo_ros.training.collect import passenger
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.exam.held_out import FOLDER, shard_folder
from alpamayo_ros.training.json_file import read_json, write_json
from alpamayo_ros.training.random_worlds.boards import drawn_board
from alpamayo_ros.training.random_worlds.failed_worlds import FailedWorlds, World
from alpamayo_ros.training.random_worlds.worlds import random_world
from alpamayo_ros.training.sample_recorder import Recorder
from alpamayo_ros.training.starts import refuse_evaluation
from alpamayo_ros.training.stream.disturbance import Disturbance
from alpamayo_ros.training.stream.drive import Drive, Terms
from alpamayo_ros.training.stream.family import Family
from alpamayo_ros.training.stream.mounts import jittered
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.slots import Slots
from alpamayo_ros.training.vocabulary import run_vocabulary

FIRST_SEED, SEEDS_A_CALL = 10_000, 10_000_000
GENTLE = 0.25  # share of the drives that nobody disturbs
AT_ONCE, LATE_STEPS = 0.5, (5, 160)
LEAST_SAMPLES = 3


class Driver:
    """Opens worlds, drives them and writes their shards into ``folder/chunks``."""

    def __init__(self, folder: Path, index: int, count: int) -> None:
        self.family = Family(folder)
        self.folder, self.index, self.count = folder, index, count
        self.settings = Settings.of_run(folder)
        self.profile = load_profile(self.settings.profile)
        self.grammar = run_vocabulary(self.profile, folder)
        self.slots = Slots(folder, self.settings.workers, self.profile)
        self.first_seed = FIRST_SEED + SEEDS_A_CALL * int(read_json(folder / 'call.json')['call'])
        self.at = folder / f'drives_{index}_at.json'
        self.number = self._reached()
        self.failed = FailedWorlds(self.settings.driven_again)

    def _reached(self) -> int:
        """Of how many worlds of this call a process before this one took up the last.

        So a world at which it fell is not opened again, nor are those before it.
        """
        found = read_json(self.at)
        return int(found['number']) if found.get('first_seed') == self.first_seed else 0

    def drive(self) -> None:
        """One drive, written as a shard and as a line of ``drives_INDEX.jsonl``."""
        control = read_json(self.folder / 'control.json')
        seed = self.first_seed + self.number * self.count + self.index
        refuse_evaluation(seed)
        self.number += 1
        write_json(self.at, {'first_seed': self.first_seed, 'number': self.number})
        rng = np.random.default_rng([seed, 77])
        place = shard_folder(self.folder, self.settings, self.index, self.number)
        again = None if place.name == FOLDER else self.failed.draw(rng)
        terms = self._terms(float(control['policy_share']), rng, again is not None)
        world = again or World(self._new(rng, terms, control['families']), seed)
        try:
            sim = open_world(world.scenario, world.seed)
        except ValueError as error:  # a town without such a route: the next world is another
            family = world.scenario.family
            self._note({'family': family, 'seed': seed, 'unbuilt': str(error)})
            return
        try:
            self._drive(sim, world, terms, rng, place)
        finally:
            sim.close()

    def _new(
        self, rng: np.random.Generator, terms: Terms, weights: Mapping[str, float]
    ) -> Scenario:
        return random_world(
            rng, {} if terms.exam else weights, self.settings.towns, plainly=terms.exam
        )

    def _terms(self, policy_share: float, rng: np.random.Generator, again: bool) -> Terms:
        by_policy = rng.random() < policy_share or again
        exam = rng.random() < self.settings.exam_share and not again
        at_once, late = rng.random() < AT_ONCE, int(rng.integers(*LATE_STEPS))
        if not by_policy:
            return Terms(None, False)
        return Terms(0 if exam or at_once else late, exam)

    def _drive(
        self, sim: Simulation, world: World, terms: Terms, rng: np.random.Generator, place: Path
    ) -> None:
        mounts = sim_cameras() if terms.exam else jittered(self.settings.jitter, rng)
        shared_renderer().remount(mounts)
        if isinstance(sim, Town):
            sim.told_through = bool(rng.random() < self.settings.told_through)
        writer = ShardWriter()
        prompt = '' if terms.exam else passenger(rng, self.settings.prompted)
        board = None if terms.exam else drawn_board(self.settings.boards, rng)
        before = None if board is None else board.before
        recorder = Recorder(sim, self.profile, self.grammar, writer, sim.seed, prompt, before)
        gentle = terms.exam or rng.random() < GENTLE
        disturbance = Disturbance(rng, gentle, self.settings.held_back)
        asks = (self.slots, self.index % self.settings.workers)
        drive = Drive(sim, terms, recorder, asks, disturbance, self.family.goes_on)
        drive.run(self.settings.most_steps)
        if not self.family.goes_on():
            return  # cut short: neither a shard nor a result
        failed = terms.handover is None and bool(sim.outcome.collisions_at_fault)
        failed &= not drive.braked  # somebody ran before the car too late: to brake is right
        result = self._result(sim, world, terms, len(writer.rows)) | {'lost': drive.lost}
        if len(writer.rows) >= LEAST_SAMPLES and not failed:  # an expert that errs teaches nothing
            self._write(writer, terms, result, place)
        self._note(result)
        if terms.handover is not None and place.name != FOLDER:
            self.failed.note(world, 0.0 if drive.lost else result['scene_score'])

    def _write(
        self, writer: ShardWriter, terms: Terms, result: dict[str, Any], place: Path
    ) -> None:
        longest = max(len(row['coc']) for row in writer.rows)
        padded = [np.pad(r['coc'], (0, longest - len(r['coc']))) for r in writer.rows]
        choice = choice_weights(self.grammar, np.stack(padded))
        for row, weights in zip(writer.rows, choice, strict=True):
            row |= {'choice': weights, 'outcome': np.float32(result['scene_score'])}
        by = 'expert' if terms.handover is None else 'policy'
        name = f'{self.index:03d}_{self.first_seed}_{self.number:06d}'
        writer.write(place / name, {'by': by, 'family': result['family']})

    def _result(self, sim: Simulation, world: World, terms: Terms, samples: int) -> dict[str, Any]:
        o = sim.outcome
        row = {'collisions_at_fault': o.collisions_at_fault, 'offroad_s': o.offroad_s,
               'progress': o.progress}  # fmt: skip
        return {
            'family': world.scenario.family,
            'template': world.scenario.name,
            'seed': sim.seed,
            'policy': terms.handover is not None,
            'exam': terms.exam,
            'again': world.tries,
            'end': o.end,
            **{k: round(v, 3) for k, v in row.items()},
            'scene_score': round(scores.scene_score(row), 3),
            'red_lights': o.red_lights,
            'contact': o.contact,
            'samples': samples,
        }

    def _note(self, row: dict[str, Any]) -> None:
        with (self.folder / f'drives_{self.index}.jsonl').open('a') as out:
            out.write(json.dumps({'time': round(time.time(), 1), **row}) + '\n')


def main() -> None:
    """Entry point."""
    folder, index, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    cv2.setNumThreads(1)
    os.nice(5)
    driver = Driver(folder, index, count)
    while driver.family.goes_on():
        waiting = sum(1 for _ in (folder / 'chunks').iterdir())
        if waiting > driver.settings.waiting_chunks or read_json(folder / 'control.json')['wait']:
            time.sleep(0.2)  # the trainer is behind, or has enough to draw from
            continue
        driver.drive()


if __name__ == '__main__':
    main()
