"""``alpamayo train status``: steps of a recipe, or how far a stream is and what it learnt."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from alpamayo_ros.cli.common import tables
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.json_file import read_json
from alpamayo_ros.training.stream.lock import worker
from alpamayo_ros.training.stream.steering import PASSED
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.training.steps.run import Run

FOLDER = 'rank_0'
CURVE, DONE, WEIGHTS = 'curve.jsonl', 'stream.done', 'model.safetensors'
# Of a line of the curve: what counts or is set, not what is learnt.
COUNTED = {'used_s', 'step', 'samples_per_s', 'samples', 'drives', 'unbuilt', 'falls',
           'regression', 'rate', 'exams', 'refused'}  # fmt: skip
# What lines have at least; of a drive whose world could not be built there is less.
OF_CURVE, OF_DRIVE = {'used_s', 'step', 'samples'}, {'time', 'family'}
OF_DRIVEN = {'policy', 'scene_score'}
SMOOTHED = 5  # lines
Line = dict[str, Any]


def is_stream(root: Path) -> bool:
    """Whether a folder is a stream's, or what came back of one."""
    return (root / FOLDER / 'settings.json').is_file()


def done_steps(run: Run, root: Path) -> str:
    """How many steps of the recipe are done, and what makes a model of the run's weights."""
    steps = run.recipe.steps
    count = f'{sum(map(run.done, steps))} of {len(steps)} steps of {run.file} are done'
    export = f'; alpamayo export {root} --to FOLDER makes a model of it'
    return f'{root}: {count}' + export * (root / WEIGHTS).is_file()


def show_steps(run: Run, root: Path) -> None:
    """Which steps of a recipe are done, and the last line of each log."""
    typer.echo(done_steps(run, root))
    if changed := run.changed():
        typer.echo(changed, err=True)
    table = Table('step', 'does', 'state', 'last line of its log')
    for step in run.recipe.steps:
        log = root / step.name / 'log.jsonl'
        lines = log.read_text().splitlines() if log.is_file() else []
        last = lines[-1][:150] if lines else ''
        table.add_row(step.name, step.do, 'done' if run.done(step) else 'open', last)
    tables.show(table)


def show_stream(root: Path) -> None:
    """State and counts, numbers of the curve at its begin and now, drives of the policy."""
    folder = root / FOLDER
    seconds = _seconds(folder / 'settings.json')
    file = folder / CURVE
    curve = _lines(file, file.read_bytes(), OF_CURVE) if file.is_file() else []
    drives = [row for row in _drives(folder) if 'unbuilt' not in row]
    typer.echo(f'{root}: {_state(root)}')
    driven = counted(len(drives), 'drive')
    if not curve:
        typer.echo(f'{driven}; the first lines of the curve come when enough has been collected')
    else:
        last = curve[-1]
        typer.echo(f'{last["used_s"]:.0f} of {seconds:.0f} s, {counted(last["step"], "step")}, '
                   f'{counted(last["samples"], "sample")}, {driven}')  # fmt: skip
        if last['step']:  # before the first step nothing has been learnt
            tables.show(_learnt(curve))
    if any(row['policy'] for row in drives):
        tables.show(_driven([row for row in drives if row['policy']]))


def _state(root: Path) -> str:
    if process := worker(root):
        return f'process {process} trains here'
    if (root / DONE).is_file():
        return 'done'
    return 'stopped; the same command goes on'


def _seconds(file: Path) -> float:
    """Of the whole run, as its settings say."""
    found = read_json(file).get('seconds')
    if not isinstance(found, int | float):
        raise ConfigError(f'{file} is damaged: expected seconds, a number, got {found!r}')
    return found


def _lines(file: Path, data: bytes, needed: set[str]) -> list[Line]:
    """Whole lines of a file: the last one may be on its way."""
    whole = data[: data.rfind(b'\n') + 1].splitlines()
    try:
        rows = [json.loads(line) for line in whole]
    except ValueError as error:
        raise ConfigError(f'{file} is damaged: a line is no valid JSON: {error}') from error
    for number, row in enumerate(rows, 1):
        wanted = needed | (OF_DRIVEN if needed is OF_DRIVE and 'unbuilt' not in row else set())
        if not isinstance(row, dict) or not wanted <= row.keys():
            said = f'expected {", ".join(sorted(wanted))}, got {str(row)[:80]}'
            raise ConfigError(f'{file} is damaged: line {number}: {said}')
    return rows


def _drives(folder: Path) -> list[Line]:
    """Results of all simulators, in order of time; packed where they came back."""
    packed = folder / 'drives.jsonl.gz'
    if packed.is_file():
        rows = _lines(packed, gzip.decompress(packed.read_bytes()), OF_DRIVE)
    else:
        files = folder.glob('drives_*.jsonl')
        rows = [row for p in files for row in _lines(p, p.read_bytes(), OF_DRIVE)]
    return sorted(rows, key=lambda row: float(row['time']))


def _learnt(curve: list[Line]) -> Table:
    """Means of the first and of the last lines that have a number."""
    table = Table('of the curve', f'first {SMOOTHED}', f'last {SMOOTHED}')
    values: dict[str, list[float]] = defaultdict(list)
    for line in curve:
        for name, value in line.items():
            if name not in COUNTED and isinstance(value, int | float):
                values[name].append(value)
    for name, of in values.items():
        table.add_row(name, f'{_mean(of[:SMOOTHED]):.4g}', f'{_mean(of[-SMOOTHED:]):.4g}')
    return table


def _driven(rows: list[Line]) -> Table:
    """Drives of the policy by family, most failures first."""
    table = Table('driven by the policy', 'drives', 'right', 'right of the last half')
    by: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        by[row['family']].append(row['scene_score'] >= PASSED)
    for family in sorted(by, key=lambda f: _mean(by[f])):
        table.add_row(family, *_shares(by[family]))
    table.add_row('all', *_shares([row['scene_score'] >= PASSED for row in rows]))
    return table


def _shares(right: list[bool]) -> tuple[str, str, str]:
    return str(len(right)), f'{_mean(right):.2f}', f'{_mean(right[len(right) // 2 :]):.2f}'


def _mean(values: list[float] | list[bool]) -> float:
    return sum(values) / len(values)
