"""Cycles that INT8 is calibrated and judged on, and drives beside the float model."""

from __future__ import annotations

import tempfile
from pathlib import Path

from alpamayo_ros.cli.measuring.cycle.recorded_cycles import SKIPPED
from alpamayo_ros.replay import run as replaying
from alpamayo_ros.replay.options import Options
from alpamayo_ros.replay.setup import prepare
from alpamayo_ros.runtime.recorded import KeepingRuntime, Recorded
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.planners import RuntimePlanner
from alpamayo_ros.simulation.scenario import load_scenario

SCENARIOS = ('winding_road', 'town_drive', 'slowing_leader', 'stopped_car')
CALIBRATED = 10_000  # seeds from here on train; no evaluation uses them (training/starts.py)
JUDGED = 5_000  # seeds 5000 to 5999 validate
EVERY = 3  # cycles from one that is kept to the next: neighbours are nearly the same
BEFORE_S = 5.0  # of a recording until the first plan, and of standing
CYCLE_S = 0.1


def cycles_of(source: str, runtime: StagedRuntime, index: int, most: int) -> list[Recorded]:
    """At most ``most`` cycles of a bag or of the scenario ``source``, driven by ``runtime``.

    FileNotFoundError, ValueError or ReplayError say why there are none.
    """
    keeping = KeepingRuntime(runtime, EVERY, most, SKIPPED)
    if Path(source).exists() and Path(source).suffix != '.yaml':
        options = Options(
            profile=runtime.profile.name,
            pictures='none',
            limit_s=BEFORE_S + most * EVERY * CYCLE_S,
        )
        setup = prepare(Path(source), options)
        with tempfile.TemporaryDirectory() as folder:
            replaying.replay(setup, keeping, Path(folder), lambda progress: None)
        return keeping.kept
    planner = RuntimePlanner(keeping, runtime.profile)
    drive = Drive(load_scenario(source), CALIBRATED + index, planner)
    try:
        while not drive.sim.done and len(keeping.kept) < most:
            drive.step()
    finally:
        drive.close()
    return keeping.kept


def scores(profile: str, model: Path | None, drives: int) -> list[float]:
    """Scene scores of ``drives`` drives over the templates of the suite ``train``."""
    found = suite.templates('train')
    rounds, last = divmod(drives, len(found))
    jobs = [Job(scenario, JUDGED + i) for i in range(rounds) for scenario in found]
    jobs += [Job(found[i * len(found) // last], JUDGED + rounds) for i in range(last)]
    task = Task('', profile=profile, model='' if model is None else str(model))
    return [float(row['scene_score']) for row in suite.run(task, jobs)['rows']]
