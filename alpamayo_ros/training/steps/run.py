"""A recipe at work: steps in order, each resumable, each marked when done."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from pathlib import Path

import torch

from alpamayo_ros.config_file import line_of, nearest
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import load_profile
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.checkpoint import load_fitting, save_weights
from alpamayo_ros.training.dataset import Dataset, check_fits, finished_names, shard_folders
from alpamayo_ros.training.json_file import read_json
from alpamayo_ros.training.shards.integrity import check_whole
from alpamayo_ros.training.steps.recipe import Recipe, Step
from alpamayo_ros.training.steps.workers import run_workers
from alpamayo_ros.training.vocabulary import run_vocabulary, write_vocabulary

WEIGHTS = 'model.safetensors'
PROCESS = 'alpamayo_ros.training.steps.collect_process'
VALIDATION = 'validation'  # shards that every training step is judged by


class Run:
    """A recipe at work in a folder.

    ``data/`` shards, ``<step>/`` logs and checkpoints, ``model.safetensors``.  Nothing is written
    before ``run``.
    """

    def __init__(self, recipe: Recipe, root: Path, recipe_file: Path, workers: int = 2) -> None:
        self.recipe, self.root, self.file, self.workers = recipe, root, recipe_file, workers
        self.profile = load_profile(recipe.profile)
        self.grammar: Grammar = run_vocabulary(self.profile, root)

    def done(self, step: Step) -> bool:
        """True when the step's marker exists."""
        return self._marker(step).is_file()

    def changed(self) -> str:
        """One sentence on finished steps that the recipe describes otherwise by now, or ''."""
        found = [said for step in self.recipe.steps if (said := self._changes(step))]
        if not found:
            return ''
        return (
            f'done with other values, and not repeated: {"; ".join(found)} (another --root begins '
            'anew)'
        )

    def _changes(self, step: Step) -> str:
        """The step's name with the values that it was done with, where they are others now."""
        marker = self._marker(step)
        then = read_json(marker) if self.done(step) and marker.stat().st_size else {}
        # 'minutes' of a marker is the time that the step took.
        then['minutes'] = then.get('minutes_asked', step.minutes)
        now = step.model_dump(mode='json')
        changes = [f'{k} {then[k]}, now {now[k]}' for k in now if then.get(k, now[k]) != now[k]]
        return f'{step.name} ({", ".join(changes)})' if changes else ''

    def _marker(self, step: Step) -> Path:
        return self.root / f'{step.name}.done'

    def model(self) -> VLA:
        """The model after the last finished training step; fresh and seeded before the first."""
        torch.manual_seed(0)
        model = VLA(self.profile)
        if (self.root / WEIGHTS).is_file():
            load_fitting(self.root / WEIGHTS, model)
        return model

    def check(self, until: str = '') -> None:
        """ConfigError where the weights do not fit, or an open step up to ``until`` lacks data."""
        if (self.root / WEIGHTS).is_file():
            self.model()
        coming: set[str] = set()
        for step in self.recipe.steps:
            if step.collects:
                coming.add(step.name)
            elif not self.done(step):
                self._check_data(step, coming)
            if step.name == until:
                return

    def _check_data(self, step: Step, coming: Collection[str] = ()) -> None:
        there = {*coming, *finished_names(self.root / 'data')}
        for place, name in enumerate((*step.data, VALIDATION)):
            if name not in there:
                key = ('steps', self.recipe.steps.index(step), 'data', place)
                listed = f'; there are {", ".join(sorted(there))}' if there else ''
                raise ConfigError(
                    f'{self.file}:{line_of(self.file, key)}: step {step.name!r} wants the shards '
                    f'{name!r}, which no step before it collects and {self.root / "data"} has not '
                    f'(a finished {name}-0){nearest(name, there) or listed}'
                )

    def run(self, until: str = '') -> None:
        """Do all open steps in order, up to and including ``until``."""
        self.check(until)
        (self.root / 'data').mkdir(parents=True, exist_ok=True)
        write_vocabulary(self.grammar, self.root)
        for step in self.recipe.steps:
            if not self.done(step):
                began = time.monotonic()
                print(f'== {step.name} ({step.do})', flush=True)
                self.do(step)
                note = {
                    'minutes': round((time.monotonic() - began) / 60, 2),
                    'minutes_asked': step.minutes,
                    'threads': torch.get_num_threads(),
                }
                self._marker(step).write_text(json.dumps({**step.model_dump(), **note}))
            if step.name == until:
                return

    def do(self, step: Step) -> None:
        """Do one step."""
        if step.collects:
            self._collect(step)
        else:
            self._train(step)

    def shard(self, step: Step, index: int) -> Path:
        """Folder of shard ``index`` of a collecting step."""
        return self.root / 'data' / f'{step.name}-{index}'

    def collect_shard(self, name: str, index: int) -> None:
        """Make one shard in this process (one thread)."""
        from alpamayo_ros.training.collect import collect_expert, collect_policy
        from alpamayo_ros.training.policy import BatchPolicy

        torch.set_num_threads(1)
        step = next(s for s in self.recipe.steps if s.name == name)
        seeds = range(*step.seeds)[index :: step.shards]
        began = time.monotonic()
        if step.do == 'collect_expert':
            made: object = collect_expert(
                seeds, step.families, self.shard(step, index), self.profile, self.grammar
            )
        else:
            policy = BatchPolicy(self.model(), 16, seed=index)
            made = collect_policy(
                policy, seeds, step.families, self.shard(step, index), self.profile, self.grammar
            )
        print(f'{name}-{index}: {made} in {time.monotonic() - began:.0f} s', flush=True)

    def _collect(self, step: Step) -> None:
        command = [sys.executable, '-m', PROCESS, str(self.file), str(self.root), step.name]
        missing = [
            i for i in range(step.shards) if not (self.shard(step, i) / 'meta.json').is_file()
        ]
        commands = [[*command, str(i)] for i in missing]
        run_workers(f'step {step.name}', commands, self.workers)

    def _train(self, step: Step) -> None:
        from alpamayo_ros.training.driver import begin_diffusion, set_scale, train_driver
        from alpamayo_ros.training.encoder import train_encoder
        from alpamayo_ros.training.features import stored_features
        from alpamayo_ros.training.joint import train_joint

        self._check_data(step)
        learnt, judged = (
            shard_folders(self.root / 'data', names) for names in (step.data, [VALIDATION])
        )
        check_whole([*learnt, *judged])
        check_fits([*learnt, *judged], self.profile)
        torch.set_num_threads(self.workers)
        model = self.model()
        data, val = Dataset(learnt), Dataset(judged)
        print(
            f'{len(data)} samples, {data.frame_count} timesteps; validation {len(val)}', flush=True
        )
        if not float(model.dit.std.ne(1).any()):
            set_scale(model, data.rows['plan'], data.rows['speed'])
        folder = self.root / step.name
        if step.do == 'encoder':
            train_encoder(model, data, val, folder, step.minutes, step.peak)
        else:
            features = (stored_features(model, data, 'all'), stored_features(model, val, 'all'))
            if step.do == 'joint':
                train_joint(
                    model, data, val, features, self.grammar, folder, step.minutes, step.peak
                )
            else:
                if not step.regression and not bool(model.dit.inp.weight.any()):
                    begin_diffusion(model)
                train_driver(
                    model,
                    data,
                    val,
                    features,
                    self.grammar,
                    folder,
                    step.minutes,
                    step.regression,
                    step.peak,
                )
        save_weights(self.root / f'{step.name}.safetensors', model)
        save_weights(self.root / WEIGHTS, model)
