"""The process that intervenes for ``alpamayo model faithfulness``, and what it found.

``python -m alpamayo_ros.cli.models.faithful_process TASK``: see
``simulation.batch.drive_process``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from alpamayo_ros.cli.common.apart import apart
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.batch import batch
from alpamayo_ros.simulation.batch.drive_process import answer
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.drive.drive import Options
from alpamayo_ros.simulation.drive.faithfulness import Instant, instants
from alpamayo_ros.simulation.drive.planners import Planner, RuntimePlanner
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.units import counted

PROGRAM = ('-m', 'alpamayo_ros.cli.models.faithful_process')


def instants_of(task: Task, drives: Sequence[tuple[Scenario, int]]) -> list[Instant]:
    """Every instant of the drives (scenario and seed), in their order; progress goes to stderr.

    BatchError where a drive fails, or dies twice.
    """
    count = 0

    def tell(job: Job, row: dict[str, Any]) -> None:
        nonlocal count
        count += len(row['instants'])
        said = f'{job.scenario.name}, seed {job.seed}: {counted(count, "instant")} so far'
        typer.echo(said, err=True)

    rows, _ = batch.drive(task, [Job(*one) for one in drives], apart(task, PROGRAM, tell))
    return [Instant(**one) for row in rows for one in row['instants']]


def intervened(job: Job, planner: Planner, options: Options) -> dict[str, Any]:
    """The instants of one drive."""
    del options
    assert isinstance(planner, RuntimePlanner) and isinstance(planner.runtime, StagedRuntime)
    found = instants(planner.runtime, planner.profile, job.scenario, job.seed)
    return {'instants': [asdict(one) for one in found]}


if __name__ == '__main__':
    answer(intervened)
