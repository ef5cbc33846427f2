"""Many drives in several processes; rows do not depend on how many there are.

Finished rows are kept in a journal, so that an interrupted batch goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from alpamayo_ros import __version__
from alpamayo_ros.simulation.batch.journal import Job, Journal, code_sha256
from alpamayo_ros.simulation.batch.local_worker import Process
from alpamayo_ros.simulation.batch.pool import BatchError, Pool, Worker
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.scenario import load_scenario

__all__ = ['BatchError', 'Task', 'drive', 'run']

Row = dict[str, Any]


def run(
    task: Task,
    seeds: Sequence[int],
    workers: int = 1,
    journal: Path | None = None,
    done: Callable[[Row], None] = lambda row: None,
) -> tuple[list[Row], dict[str, Any]]:
    """Rows of one scenario in the order of ``seeds``, and the workers' notes on their planner.

    ``done`` is called once for every row, also for those found in the journal.  BatchError when a
    drive fails or no worker starts.
    """
    scenario = load_scenario(task.scenario)
    jobs = [Job(scenario, seed) for seed in seeds]
    return drive(task, jobs, workers, journal, lambda job, row: done(row))


def drive(
    task: Task,
    jobs: Sequence[Job],
    workers: int = 1,
    journal: Path | None = None,
    done: Callable[[Job, Row], None] = lambda job, row: None,
    connect: Callable[[], Worker] | None = None,
    tell: Callable[[str], None] = lambda text: None,
    resumed: Callable[[int], None] = lambda count: None,
) -> tuple[list[Row], dict[str, Any]]:
    """Rows in the order of ``jobs``, and the workers' planner; see ``run``.

    ``connect``: makes a worker; default: a process of this machine.  ``tell`` is told what a
    person should know about the journal, ``resumed`` how many rows came from it.
    """
    with Pool(connect or partial(Process, task), workers) as pool:
        kept = Journal(journal, head(task, pool.identity))
        if kept.stale is not None:
            tell(f'the journal was of other settings, model or code: moved to {kept.stale}')
        found = [job for job in jobs if job.key in kept.rows]
        for job in found:
            done(job, kept.rows[job.key])
        resumed(len(found))

        def take(job: Job, row: Row) -> None:
            kept.add(job.key, row)
            done(job, row)

        pool.drive([j for j in jobs if j.key not in kept.rows], take)
        return [kept.rows[j.key] for j in jobs], pool.identity


def head(task: Task, identity: dict[str, Any]) -> dict[str, Any]:
    """All that rows depend on beside their own scenario and seed."""
    common = {name: value for name, value in asdict(task).items() if name != 'scenario'}
    code = {'version': __version__, 'code_sha256': code_sha256()}
    return {'task': common, 'planner': identity, **code}
