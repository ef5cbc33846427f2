"""Drives of a command in processes of their own: one that dies in a drive ends no command.

SUMO, which moves the traffic of the towns, has ended a process now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import typer

from alpamayo_ros.simulation.batch.batch import BatchError, Execution, Task
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.local_worker import DRIVES, Process
from alpamayo_ros.statuses import Status


def apart(
    task: Task,
    program: Sequence[str] = DRIVES,
    done: Callable[[Job, dict[str, Any]], None] = lambda job, row: None,
) -> Execution:
    """How ``batch.drive`` hands its jobs to ``program``, one at a time, see ``local_worker``.

    A drive in which the process died is driven once more, which is said on stderr.
    """
    return Execution(connect=partial(Process, task, program), done=done, tell=_tell)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def driving(command: str) -> Iterator[None]:
    """``command`` ends with ENVIRONMENT and a sentence where drives fail or no process starts."""
    try:
        yield
    except BatchError as error:
        typer.echo(f'{command}: {error}', err=True)
        raise typer.Exit(Status.ENVIRONMENT) from error
