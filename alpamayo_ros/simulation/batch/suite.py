"""The suite: every template of a split, driven with the same seeds, scored.

The list of runs (templates by name, seeds in order) decides the order of the rows; how many
workers there are and which of them finished first does not show in the result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from alpamayo_ros import __version__
from alpamayo_ros.metrics import scores
from alpamayo_ros.simulation.batch import batch
from alpamayo_ros.simulation.batch.journal import Job, code_sha256
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.scenario import Scenario, load_scenario, scenario_names

SuiteSplit = Literal['train', 'val', 'test', 'logs']
SPLITS: tuple[str, ...] = get_args(SuiteSplit)
SEEDS = (0, 1, 2)
Row = dict[str, Any]


class SuiteError(ValueError):
    """There is no such suite, or it is not well-formed; the text says what to type."""


def templates(split: str) -> list[Scenario]:
    """Templates of a split ('train', 'val', 'test', 'logs'), sorted by name.

    ``split`` may also be a folder: then every .yaml below it, whatever its split says.
    """
    folder = Path(split)
    if split in SPLITS:
        found = [s for s in map(load_scenario, scenario_names()) if s.split == split]
    elif folder.is_dir():
        found = [load_scenario(path) for path in folder.rglob('*.yaml')]
    else:
        raise SuiteError(f'no suite {split!r}; there are {", ".join(SPLITS)}, or name a folder')
    found.sort(key=lambda scenario: scenario.name)
    if not found:
        raise SuiteError(f'the suite {split!r} holds no template')
    names = [scenario.name for scenario in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SuiteError(f'names of templates must differ; more than once: {", ".join(twice)}')
    return found


def jobs(found: Sequence[Scenario], seeds: Sequence[int]) -> list[Job]:
    """The runs in the order of the rows: template by template, seed by seed."""
    return [Job(scenario, seed) for scenario in found for seed in seeds]


def run(task: Task, runs: Sequence[Job], how: batch.Execution | None = None) -> dict[str, Any]:
    """Drive all runs; the report, in which nothing depends on time, machine or order.

    BatchError when a drive failed: finished rows stay in the journal, and the same call goes on.
    """
    rows, planner = batch.drive(task, runs, how)
    return report(task, runs, rows, planner)


def report(
    task: Task, runs: Sequence[Job], rows: Sequence[Row], planner: dict[str, Any]
) -> dict[str, Any]:
    """The figures of the suite, the same per family, and the rows."""
    full = [scored(job, row) for job, row in zip(runs, rows, strict=True)]
    families = sorted({row['family'] for row in full})
    common = {k: v for k, v in json.loads(task.to_json()).items() if k != 'scenario'}
    return {
        **scores.summarise(full),
        'families': {f: scores.summarise([r for r in full if r['family'] == f]) for f in families},
        'planner': planner,
        'task': common,
        'version': __version__,
        'code_sha256': code_sha256(),
        'rows': full,
    }


def scored(job: Job, row: Row) -> Row:
    """A row with its place in the suite and its scores."""
    scenario = job.scenario
    place = {
        'template': job.template,
        'family': scenario.family or scenario.name,
        'split': scenario.split,
        'severity': scenario.severity,
    }
    values = {
        'incidents': scores.incidents(row),
        'rules': round(scores.rules(row), 4),
        'scene_score': round(scores.scene_score(row), 4),
        'drive_score': round(scores.drive_score(row), 4),
    }
    return {**row, **place, **values}
