"""What a person sees while drives run: how many are done and how long the rest will take."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import typer

from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.pool import cost
from alpamayo_ros.statuses import Status

MEMORY_S = 3600.0  # drives take minutes: the estimate looks back further than rich's 30 s


class Bar:
    """A progress bar on stderr whose estimate weighs each drive by its length; use in a ``with``.

    ``done``, ``tell`` and ``resumed`` fit ``batch.drive``.
    """

    def __init__(self, title: str, jobs: Sequence[Job]) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        from alpamayo_ros.cli.common.progress import Progress

        self.right = self.count = 0
        self._cost = 0.0
        self.total = len(jobs)
        self._progress = Progress(
            TextColumn('{task.description}'),
            BarColumn(bar_width=24),
            TextColumn('{task.fields[count]}'),
            TimeElapsedColumn(),
            TextColumn('to go'),
            TimeRemainingColumn(),
            said='count',
            speed_estimate_period=MEMORY_S,
        )
        self._task = self._progress.add_task(title, total=sum(map(cost, jobs)), count='')
        self._title = title

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def done(self, job: Job, row: dict[str, Any]) -> None:
        """One more drive has ended."""
        self.count, self.right = self.count + 1, self.right + bool(row['right'])
        self._cost += cost(job)
        self._progress.update(
            self._task,
            completed=self._cost,
            description=f'{self._title}: right {self.right} of {self.count}',
            count=f'{self.count}/{self.total}',
        )

    def resumed(self, count: int) -> None:
        """``count`` drives came from a journal: they say nothing of how long the rest takes."""
        if count:
            self.tell(f'{count} of {self.total} drives are taken from an interrupted call')
            said = f'{self._title}: right {self.right} of {self.count}'
            shown = f'{self.count}/{self.total}'
            self._progress.reset(self._task, description=said, count=shown)
            self._progress.update(self._task, completed=self._cost)

    def tell(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(text, highlight=False, soft_wrap=True)


@contextmanager
def interruptible(journal: Path | None) -> Iterator[None]:
    """Ctrl-C ends with INTERRUPTED and says what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        if journal is None:
            text = 'Stopped. Nothing is kept: with --json FILE finished drives would be.'
        elif not journal.is_file():
            text = 'Stopped before a drive was finished: nothing is kept.'
        else:
            kept = max(len(journal.read_text().splitlines()) - 1, 0)
            again = shlex.join(['alpamayo', *sys.argv[1:]])
            text = f'Stopped. {kept} finished drives are kept in {journal}; to go on:\n  {again}'
        typer.echo(f'\n{text}', err=True)
        raise typer.Exit(Status.INTERRUPTED) from None


def partial(json_path: Path | None) -> Path | None:
    """Where the journal of a call with ``--json`` lies."""
    if json_path is None:
        return None
    json_path.parent.mkdir(parents=True, exist_ok=True)
    return json_path.with_name(json_path.name + '.partial.jsonl')
