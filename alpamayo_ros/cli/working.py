"""Long work on the command line: how far it is, bad input as a sentence, a clean Ctrl-C."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer

from alpamayo_ros.cli.common.refusing import of_machine, words_of
from alpamayo_ros.statuses import Status

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def saying(what: str) -> Iterator[Callable[[str], None]]:
    """Yields a function that hears what is being done, where nobody knows how much is left."""
    from rich.progress import SpinnerColumn, TextColumn

    from alpamayo_ros.cli.common.progress import Progress

    with Progress(SpinnerColumn(), TextColumn('{task.description}'), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda text: bar.update(task, description=text)


@contextmanager
def working(
    what: str,
    bad: tuple[type[Exception], ...] = (ValueError,),
    kept: str = 'nothing was kept',
    into: Path | None = None,
) -> Iterator[Callable[[float], None]]:
    """Yields a function that hears the share that is done, 0 to 1.

    USAGE for the exceptions of bad input, INTERRUPTED for Ctrl-C, with ``kept``: what stays.
    What the machine refuses is not caught; a full disk without a name is that of ``into``.
    """
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from alpamayo_ros.cli.common.progress import Progress

    columns = (TextColumn('{task.description}'), BarColumn(), TimeRemainingColumn())
    bar = Progress(*columns, transient=True)
    try:
        with bar:
            task = bar.add_task(what, total=1.0)
            yield lambda share: bar.update(task, completed=share)
    except KeyboardInterrupt:
        typer.echo(f'interrupted; {kept}', err=True)
        raise typer.Exit(Status.INTERRUPTED) from None
    except OSError as error:
        if isinstance(error, bad) and not of_machine(error):
            _refuse(error)
        if error.errno in FULL and error.filename is None and into is not None:
            error.filename = str(into)
        raise
    except bad as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    typer.echo(f'alpamayo: {words_of(error)}', err=True)
    raise typer.Exit(getattr(error, 'status', Status.USAGE)) from error
