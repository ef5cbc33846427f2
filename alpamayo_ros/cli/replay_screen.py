"""What a person sees of ``alpamayo replay``: a bar while it runs, then verdict and figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from alpamayo_ros.cli.common import tables
from alpamayo_ros.cli.common.progress import Progress as Bars
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.replay.options import Progress

SHOWN: tuple[str, ...] = ('planned_share', 'l2_at_1s', 'l2_at_3s', 'l2_at_6s', 'ade', 'fde')
SHOWN += ('min_ade_k_6s', 'miss_rate_k_2m', 'collision_up_to_3s', 'comfortable_plan')
SHOWN += ('plan_to_plan_mean', 'agreement')


class Bar:
    """A progress bar on stderr; calls with ``Progress`` move it."""

    def __init__(self, name: str) -> None:
        columns = (
            TextColumn('{task.description}'),
            BarColumn(),
            TextColumn('{task.fields[said]}'),
        )
        self._progress = Bars(*columns, TimeRemainingColumn(), said='said')
        self._task = self._progress.add_task(name, total=None, said='')

    def __enter__(self) -> Callable[[Progress], None]:
        self._progress.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _tell(self, now: Progress) -> None:
        said = f'{now.done_s:.1f} of {now.total_s:.1f} s, {counted(now.plans, "plan")}'
        self._progress.update(
            self._task, completed=now.done_s, total=max(now.total_s, 1e-3), said=said
        )


def show(summary: dict[str, Any], out: Path) -> None:
    """Verdict first, then the figures that matter most."""
    from alpamayo_ros.reports.report_replay import others

    console = tables.console()
    colour = {'pass': 'green', 'fail': 'red'}.get(summary['verdict'], 'yellow')
    start = '' if summary['complete'] else 'Incomplete. '
    console.print(
        f'[{colour}]{summary["verdict"]}[/]: {start}{summary["sentence"]}', soft_wrap=True
    )
    for line in (*others(summary), *summary['lacks'], *summary['notes']):
        console.print(f'  {line}', soft_wrap=True, markup=False)
    table = Table('metric', 'model', 'baseline', 'n', 'unit', box=SIMPLE_HEAD)
    for name in SHOWN:
        cell = summary['metrics'].get(name)
        if cell is not None and (cell['model'] is not None or cell['baseline'] is not None):
            table.add_row(name, _figure(cell['model']), _figure(cell['baseline']), str(cell['n']),
                          cell['unit'])  # fmt: skip
    if table.row_count:
        tables.show(table, console)
    timing = summary['timing']
    console.print(
        f'{timing["recorded_s"]:.1f} s of recording in {timing["wall_s"]:.1f} s '
        f'({timing["times_real_time"]} times real time); {out}/report.html',
        soft_wrap=True,
    )


def _figure(value: float | None) -> str:
    return 'not evaluable' if value is None else f'{value:.3g}'
