"""Many drives in several processes; rows do not depend on how many there are.

Finished rows are kept in a journal, so that an interrupted batch goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alpamayo_ros import __version__
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.manifest import profile_hash
from alpamayo_ros.simulation.batch.journal import Job, Journal, code_sha256
from alpamayo_ros.simulation.batch.local_worker import Process
from alpamayo_ros.simulation.batch.pool import BatchError, Pool, Worker
from alpamayo_ros.simulation.batch.task import Task

__all__ = ['BatchError', 'Execution', 'Task', 'drive']

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Execution:
    """How the drives of a batch are carried out; no row depends on it.

    ``connect`` makes a worker, None: a process of this machine.  ``done`` is called once for every
    row, also for those found in the ``journal``; ``tell`` with what a person should know about
    it, ``resumed`` with how many rows came from it.
    """

    workers: int = 1
    journal: Path | None = None
    connect: Callable[[], Worker] | None = None
    done: Callable[[Job, Row], None] = lambda job, row: None
    tell: Callable[[str], None] = lambda text: None
    resumed: Callable[[int], None] = lambda count: None


def drive(
    task: Task, jobs: Sequence[Job], how: Execution | None = None
) -> tuple[list[Row], dict[str, Any]]:
    """Rows in the order of ``jobs``, and what the workers said about their planner.

    BatchError when a drive fails or no worker starts: the same call goes on from the journal.
    """
    how = how or Execution()
    with Pool(how.connect or partial(Process, task), how.workers) as pool:
        kept = Journal(how.journal, head(task, pool.identity))
        if kept.stale is not None:
            how.tell(f'the journal was of other settings, model or code: moved to {kept.stale}')
        found = [job for job in jobs if job.key in kept.rows]
        for job in found:
            how.done(job, kept.rows[job.key])
        how.resumed(len(found))

        def take(job: Job, row: Row) -> None:
            kept.add(job.key, row)
            how.done(job, row)

        pool.drive([j for j in jobs if j.key not in kept.rows], take, how.tell)
        return [kept.rows[j.key] for j in jobs], pool.identity


def head(task: Task, identity: dict[str, Any]) -> dict[str, Any]:
    """All that rows depend on beside their own scenario and seed."""
    common = {name: value for name, value in asdict(task).items() if name != 'scenario'}
    profile = {'profile_sha256': profile_hash(load_profile(task.profile))}
    code = {'version': __version__, 'code_sha256': code_sha256()}
    return {'task': common, 'planner': identity, **profile, **code}
