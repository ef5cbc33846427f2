"""The process that drives for the calibration of ``alpamayo model quantise``.

``python -m alpamayo_ros.cli.models.capture_process MOST TASK``: see
``simulation.batch.drive_process``.  SUMO has ended a process that drove a town; this one may.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from alpamayo_ros.cli.measuring.cycle.recorded_cycles import SKIPPED
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.runtime import onnx_runtime
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import ModelFiles, check_profile, read_model
from alpamayo_ros.runtime.recorded import KeepingRuntime, store
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.batch.drive_process import Opened, answer
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.drive.drive import Drive, Options
from alpamayo_ros.simulation.drive.planners import Planner, RuntimePlanner

EVERY = 3  # cycles from one that is kept to the next: neighbours are nearly the same


def open_graphs(files: ModelFiles, profile: ModelProfile) -> StagedRuntime | Fault:
    """The model in float on this processor, whose golden answer may be another processor's."""
    return check_profile(files, profile) or onnx_runtime.load(files, profile)


def opened(task: Task) -> Opened | str:
    """The planner of a task, or why there is none."""
    profile = load_profile(task.profile)
    files = read_model(Path(task.model) if task.model else model_dir(profile))
    runtime = files if isinstance(files, Fault) else open_graphs(files, profile)
    if isinstance(runtime, Fault):
        return str(runtime)
    return RuntimePlanner(runtime, profile), Options()


def keeping(runtime: StagedRuntime, most: int) -> KeepingRuntime:
    """``runtime``, of which at most ``most`` cycles are kept for a calibration."""
    return KeepingRuntime(runtime, EVERY, most, SKIPPED)


def captured(most: int, job: Job, planner: Planner, options: Options) -> dict[str, Any]:
    """At most ``most`` cycles of a drive, in files ``0.npz`` on of ``job.record``."""
    assert isinstance(planner, RuntimePlanner) and isinstance(planner.runtime, StagedRuntime)
    kept = keeping(planner.runtime, most)
    drive = Drive(job.scenario, job.seed, RuntimePlanner(kept, planner.profile), options)
    try:
        while not drive.sim.done and len(kept.kept) < most:
            drive.step()
    finally:
        drive.close()
    folder = Path(job.record)
    return {'cycles': [store(one, folder / f'{i}.npz') for i, one in enumerate(kept.kept)]}


if __name__ == '__main__':
    answer(partial(captured, int(sys.argv[1])), opened)
