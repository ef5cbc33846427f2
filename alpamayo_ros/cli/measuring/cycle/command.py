"""``alpamayo bench --json FILE``: all comparisons of a model's cycle on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.models.stopping import stop
from alpamayo_ros.faults import Fault
from alpamayo_ros.preflight import check_file
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.cli.measuring.cycle.bench_figures import Tell

NEEDED = ('torch', 'transformers', 'diffusers', 'onnxruntime')
CYCLES, KEPT = 200, 41


def run_bench(
    out: Path, profile: str, model: Path | None, scenario: str, seed: int, quick: bool
) -> None:
    """Measure, show, write ``out``; exit 1 where a bar is missed or an output differs."""
    check_file(out)
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        names = ', '.join(absent)
        stop(f'alpamayo bench compares with {names}: pip install -r requirements/test.txt')
    try:
        world = load_scenario(scenario)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(f'--scenario: {error}') from error
    from alpamayo_ros.cli.measuring.cycle.bench_figures import measure
    from alpamayo_ros.cli.measuring.cycle.parts import open_parts

    parts = open_parts(profile_of(profile), model)
    if isinstance(parts, Fault):
        stop(parts)
    cycles, keep = (24, 5) if quick else (CYCLES, KEPT)
    with progress() as tell:
        try:
            found = measure(parts, world, seed, cycles, keep, tell)
        except ValueError as error:
            stop(str(error))
    good = show(found)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({'ok': good, **found}, indent=1) + '\n')
    with whoever_reads():
        typer.echo(f'wrote {out}')
    raise typer.Exit(Status.PASS if good else Status.FAIL)


@contextmanager
def progress() -> Iterator[Tell]:
    """A bar a comparison on stderr."""
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn

    from alpamayo_ros.cli.common.progress import Progress

    columns = (TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns) as bars:

        def tell(name: str, share: float) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=1.0)
            bars.update(tasks[name], completed=share)

        yield tell


def show(found: dict[str, Any]) -> bool:
    """Bars, what each saving buys, and whether all is as it should be."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from alpamayo_ros.cli.common import tables
    from alpamayo_ros.cli.measuring.cycle.bars import bars, same

    console = tables.console()
    table = Table('figure', 'here', 'bar', '', 'meaning', box=SIMPLE_HEAD)
    all_bars = list(bars(found))
    for bar in all_bars:
        verdict = 'ok' if bar.ok else 'NOT ok'
        table.add_row(bar.name, f'{bar.value:g}', f'{bar.side} {bar.bar:g}', verdict, bar.meaning)
    savings = Table('without', 'CPU ms a cycle', 'times', box=SIMPLE_HEAD)
    savings.add_row('(nothing left out)', f'{found["cycle_cpu_ms"]:.1f}', '1.00')
    for name, one in found['ablation'].items():
        savings.add_row(name.replace('_', ' '), f'{one["cpu_ms"]:.1f}', f'{one["ratio"]:.2f}')
    wrong = same(found)
    with whoever_reads():
        tables.show(table, console)
        tables.show(savings, console)
        if wrong:
            console.print('other output than the fast runtime: ' + ', '.join(wrong))
    return not wrong and all(bar.ok for bar in all_bars)
