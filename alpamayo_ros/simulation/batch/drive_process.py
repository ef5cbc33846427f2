"""The process that drives for ``local_worker``: jobs come in line by line, rows of JSON go out.

``python -m alpamayo_ros.simulation.batch.drive_process TASK``; a process that does something else
with each job calls ``answer`` with a function of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2

from alpamayo_ros.environment import die_with
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.foreign import PlannerError
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.drive.ablation import AblatedPlanner, Ablation
from alpamayo_ros.simulation.drive.drive import Drive, Objects, Options
from alpamayo_ros.simulation.drive.measurements import Measure
from alpamayo_ros.simulation.drive.planners import Planner, open_planner

Row = dict[str, Any]
Opened = tuple[Planner, Options]
Work = Callable[[Job, Planner, Options], Row]


def open_task(task: Task) -> Opened | str:
    """Planner and options of a task, or why there is none."""
    profile, model = load_profile(task.profile), task.model or None
    words = (task.words_every_s, task.words_concurrent)
    planner = open_planner(task.planner, profile, model, *words)
    if isinstance(planner, Fault):
        return str(planner)
    if task.ablate:
        planner = AblatedPlanner(planner, cast(Ablation, task.ablate))
    return planner, Options(cast(Objects, task.objects), task.latency_steps, task.prompt)


def identity(planner: Planner) -> Row:
    """What rows depend on of a planner."""
    return {'name': planner.name, 'manifest_sha256': planner.manifest_sha256}


def drive(job: Job, planner: Planner, options: Options) -> Row:
    """Drive one job to its end, measured, and recorded where it names a folder."""
    recorded = bool(job.record)
    made = Drive(job.scenario, job.seed, planner, options, pictures=recorded)
    measure = Measure(made)
    recorder = None
    if recorded:
        from alpamayo_ros.simulation.drive.drive_recorder import DriveRecorder

        recorder = DriveRecorder(made, Path(job.record))
    try:
        while not made.sim.done:
            if recorder is not None:
                recorder.look()
            cycle = made.step()
            measure.note(cycle)
            if recorder is not None:
                recorder.note(cycle)
        row = {**made.row().as_dict(), **measure.fields()}
        if recorder is not None and made.sim.outcome.end == 'collision':
            recorder.aftermath()
        return row
    finally:
        made.close()
        if recorder is not None:
            recorder.close()


def answer(work: Work = drive, opening: Callable[[Task], Opened | str] = open_task) -> None:
    """Be such a process: one row of ``work`` for each job, until the input closes.

    The task is the last argument, its planner and options are what ``opening`` makes of it.
    Whatever a library prints goes to stderr; what the machine refuses (a full disk) is an answer.
    """
    try:
        _serve(work, opening)
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more: the parent was interrupted
    except PlannerError as error:
        sys.exit(str(error))


def _serve(work: Work, opening: Callable[[Task], Opened | str]) -> None:
    die_with(os.getppid(), signal.SIGKILL)
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    cv2.setNumThreads(1)
    opened = opening(Task.from_json(sys.argv[-1]))
    if isinstance(opened, str):
        print(json.dumps({'error': opened}), file=answers, flush=True)
        return
    planner, options = opened
    print(json.dumps(identity(planner)), file=answers, flush=True)
    for line in sys.stdin:
        try:
            row = work(Job.from_json(line), planner, options)
        except OSError as error:
            row = {'error': str(error)}
        print(json.dumps(row), file=answers, flush=True)


if __name__ == '__main__':
    answer()
