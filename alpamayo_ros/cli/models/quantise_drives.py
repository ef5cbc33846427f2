"""Cycles that INT8 is calibrated and judged on, and drives beside the float model."""

from __future__ import annotations

import tempfile
from pathlib import Path

from alpamayo_ros.cli.common.apart import apart
from alpamayo_ros.cli.models.capture_process import EVERY, keeping
from alpamayo_ros.replay import run as replaying
from alpamayo_ros.replay.options import Options
from alpamayo_ros.replay.setup import prepare
from alpamayo_ros.runtime.recorded import Recorded, restore
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.batch import batch, suite
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.scenario import load_scenario

SCENARIOS = ('winding_road', 'town_drive', 'slowing_leader', 'stopped_car')
CALIBRATED = 10_000  # seeds from here on train; no evaluation uses them (training/starts.py)
JUDGED = 5_000  # seeds 5000 to 5999 validate
CAPTURES = ('-m', 'alpamayo_ros.cli.models.capture_process')
BEFORE_S = 5.0  # of a recording until the first plan, and of standing
CYCLE_S = 0.1


def cycles_of(
    source: str, runtime: StagedRuntime, index: int, most: int, task: Task
) -> list[Recorded]:
    """At most ``most`` cycles of a bag, or of the scenario ``source`` driven by ``task``.

    ``runtime``: the model of ``task``, for bags.  A drive is that of a process of its own, and is
    driven once more where that dies.  FileNotFoundError, ValueError, ReplayError or BatchError
    say why there are none.
    """
    if Path(source).exists() and Path(source).suffix != '.yaml':
        kept = keeping(runtime, most)
        options = Options(
            profile=task.profile,
            pictures='none',
            limit_s=BEFORE_S + most * EVERY * CYCLE_S,
        )
        setup = prepare(Path(source), options)
        with tempfile.TemporaryDirectory() as folder:
            replaying.replay(setup, kept, Path(folder), lambda progress: None)
        return kept.kept
    with tempfile.TemporaryDirectory() as folder:
        job = Job(load_scenario(source), CALIBRATED + index, record=folder)
        ((row,), _) = batch.drive(task, [job], apart(task, (*CAPTURES, str(most))))
        files = [Path(folder) / f'{i}.npz' for i in range(len(row['cycles']))]
        return [restore(*found) for found in zip(files, row['cycles'], strict=True)]


def scores(task: Task, drives: int) -> list[float]:
    """Scene scores of ``drives`` drives by ``task`` over the templates of the suite ``train``."""
    found = suite.templates('train')
    rounds, last = divmod(drives, len(found))
    jobs = [Job(scenario, JUDGED + i) for i in range(rounds) for scenario in found]
    jobs += [Job(found[i * len(found) // last], JUDGED + rounds) for i in range(last)]
    return [float(row['scene_score']) for row in suite.run(task, jobs, apart(task))['rows']]
