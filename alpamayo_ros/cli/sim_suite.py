"""``alpamayo sim --suite``: every template of a split, scored, shown and written."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from alpamayo_ros.cli.sim_progress import Bar, interruptible, partial
from alpamayo_ros.simulation import suite
from alpamayo_ros.simulation.journal import Job
from alpamayo_ros.simulation.pool import Worker
from alpamayo_ros.simulation.task import Task

SHOWN = ('at_fault_free_share', 'mean_progress', 'scene_score', 'drive_score')
MORE = ('km_per_incident', 'coc_facts_f1', 'agreement')
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked for beside the task; ``limit``: the first so many runs, None for all."""

    suite: str
    seeds: list[int]
    limit: int | None = None
    workers: int = 1
    ray: bool = False
    json_path: Path | None = None
    report: Path | None = None
    worst: int = 5

    def jobs(self) -> list[Job]:
        """The runs in order; typer.BadParameter where there is no such suite."""
        try:
            return suite.jobs(suite.templates(self.suite), self.seeds)[: self.limit]
        except suite.SuiteError as error:
            raise typer.BadParameter(str(error)) from error


def drive_suite(task: Task, call: Call, against: Path | None = None) -> Report:
    """Drive, write, show; with ``against`` exit status 1 where a figure has become worse."""
    jobs, journal, began = call.jobs(), partial(call.json_path), time.perf_counter()
    reference = None if against is None else json.loads(against.read_text())
    connect = _connect(task, call)
    with interruptible(journal):
        with Bar(f'suite {call.suite}', jobs) as bar:
            report = suite.run(task, jobs, call.workers, journal, bar.done, connect, bar.tell)
        report = {'suite': call.suite, 'seeds': call.seeds, 'limit': call.limit, **report}
        seconds = round(time.perf_counter() - began, 2)
        report['timing'] = {'seconds': seconds, 'workers': call.workers, 'ray': call.ray}
        if call.json_path is not None and journal is not None:
            write(report, call.json_path)
            journal.unlink(missing_ok=True)
        show(report)
        del reference
    return report


def _connect(task: Task, call: Call) -> Callable[[], Worker] | None:
    """How to get workers; None: processes of this machine."""
    del task
    if call.ray:
        raise typer.BadParameter('--ray is not there yet')
    return None


def write(report: Report, path: Path) -> None:
    """The whole file or none of it."""
    fresh = path.with_name(path.name + '.new')
    fresh.write_text(json.dumps(report, indent=1) + '\n')
    os.replace(fresh, path)


def show(report: Report) -> None:
    """Figures by family with the whole suite below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table('family', 'runs', 'no contact at fault', 'progress', 'scene score',
                  'drive score', box=SIMPLE_HEAD, padding=(0, 1, 0, 0))  # fmt: skip
    for family, part in report['families'].items():
        table.add_row(family, str(part['runs']), *(number(part[name]) for name in SHOWN))
    table.add_section()
    table.add_row('all', str(report['runs']), *(with_interval(report, n) for n in SHOWN))
    console = Console()
    console.print(table)
    if report['incidents']:
        console.print(f'km per incident: {with_interval(report, "km_per_incident")}')
    else:
        least = report['km_per_incident_ci95'][0]
        console.print(
            f'km per incident: no incident in {report["distance_km"]:.2f} km '
            f'(95 %: more than {least:.2f} km)'
        )
    for name in MORE[1:]:
        console.print(f'{name.replace("_", " ")}: {with_interval(report, name)}')
    who, timing = report['planner'], report['timing']
    console.print(
        f'{who["name"]} {who["manifest_sha256"][:12]}, {timing["seconds"]:.0f} s with '
        f'{timing["workers"]} workers',
        highlight=False,
    )


def number(value: float | None) -> str:
    """Three digits, or that it could not be evaluated."""
    return 'n/a' if value is None else f'{value:.3f}'


def with_interval(report: Report, name: str) -> str:
    """A figure and its 95 % interval."""
    interval = report[f'{name}_ci95']
    if interval is None:
        return number(report[name])
    low, high = ('...' if end is None else f'{end:.3f}' for end in interval)
    return f'{number(report[name])} ({low} to {high})'
