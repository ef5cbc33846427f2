"""``alpamayo sim --suite``: every template of a split, scored, shown and written."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.simulating.progress import Bar, interruptible, partial
from alpamayo_ros.metrics import regression_suite
from alpamayo_ros.metrics.regression import words
from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.batch.batch import Execution
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.statuses import Status
from alpamayo_ros.units import counted

COLUMNS = {  # figure: heading
    'at_fault_free_share': 'fault-free',
    'mean_progress': 'progress',
    'exits_taken': 'exits',
    'scene_score': 'scene',
    'drive_score': 'drive',
    'coc_facts_f1': 'facts',
    'agreement': 'agree',
}
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked for beside the task.

    ``limit``: the first so many runs, None for all.  ``workers`` None: one a core.
    """

    suite: str
    seeds: list[int]
    limit: int | None = None
    workers: int | None = None
    ray: bool = False
    json_path: Path | None = None
    report: Path | None = None
    worst: int = 5
    against: Path | None = None

    def jobs(self) -> list[Job]:
        """The runs in order; typer.BadParameter where there is no such suite."""
        try:
            return suite.jobs(suite.templates(self.suite), self.seeds)[: self.limit]
        except suite.SuiteError as error:
            raise typer.BadParameter(str(error)) from error


def drive_suite(task: Task, call: Call) -> Report:
    """Drive, write, show; FAIL where a figure is worse than in ``call.against``."""
    before = _reference(call.against)
    jobs, journal = call.jobs(), partial(call.json_path)
    with interruptible(journal):
        report = _driven(task, call, jobs, journal)
        if call.json_path is not None and journal is not None:
            write_whole(call.json_path, json.dumps(report, indent=1) + '\n')
        with whoever_reads():
            show(report)
        if call.report is not None:
            _page(task, call, jobs, report, before)
        if journal is not None:
            journal.unlink(missing_ok=True)  # not before: the page can be interrupted too
    if before is not None:
        _judge(before, report, call.against)
    return report


def _reference(path: Path | None) -> regression_suite.Report | None:
    """The earlier result, read before hours are spent."""
    try:
        return None if path is None else regression_suite.read(path)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _judge(before: regression_suite.Report, report: Report, path: Path | None) -> None:
    """Say what has become worse; FAIL where something has."""
    found = regression_suite.worse(before, report)
    with whoever_reads():
        if other := regression_suite.other_settings(before, report):
            typer.echo(f'Driven with other settings than {path}: {"; ".join(other)}')
        typer.echo(words(found, path))
    if found:
        raise typer.Exit(Status.FAIL)


def _page(
    task: Task,
    call: Call,
    jobs: list[Job],
    report: Report,
    before: regression_suite.Report | None,
) -> None:
    """The worst drives again, on film, and the page that shows them."""
    from alpamayo_ros.cli.simulating import report as worst_drives

    assert call.report is not None
    places = worst_drives.worst(report['rows'], call.worst)
    again, rows = [jobs[i] for i in places], [report['rows'][i] for i in places]
    workers = min(call.workers or len(again), len(os.sched_getaffinity(0)), max(len(again), 1))
    shown = worst_drives.redrive(task, again, rows, call.report, workers)
    page = worst_drives.write_page(report, shown, call.report, before)
    with whoever_reads():
        typer.echo(f'{page}   open this')


def _driven(task: Task, call: Call, jobs: list[Job], journal: Path | None) -> Report:
    """The suite's report with what was asked for and how long it took."""
    began = time.perf_counter()
    with ExitStack() as open_:
        connect, cores = None, len(os.sched_getaffinity(0))
        if call.ray:
            from alpamayo_ros.simulation.batch.cluster import Cluster

            cluster = open_.enter_context(Cluster(task))
            connect, cores = cluster.connect, cluster.cores
        workers = min(call.workers or cores, len(jobs))
        bar = open_.enter_context(Bar(f'suite {call.suite}', jobs))
        how = Execution(workers, journal, connect, bar.done, bar.tell, bar.resumed)
        found = suite.run(task, jobs, how)
    seconds = round(time.perf_counter() - began, 2)
    asked = {'suite': call.suite, 'seeds': call.seeds, 'limit': call.limit}
    timing = {'seconds': seconds, 'workers': workers, 'ray': call.ray}
    return {**asked, **found, 'timing': timing}


def show(report: Report) -> None:
    """Figures by family; below, those of the whole suite with their intervals."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column('family', no_wrap=True)
    for heading in ('runs', *COLUMNS.values()):
        table.add_column(heading, justify='right')
    for family, part in report['families'].items():
        table.add_row(family, str(part['runs']), *(number(part[name]) for name in COLUMNS))
    console = tables.console()
    tables.show(table, console)
    runs, templates = counted(report['runs'], 'run'), counted(report['templates'], 'template')
    console.print(f'{runs} of {templates}, '
                  f'{report["distance_km"]:.2f} km (95 % intervals over templates)')  # fmt: skip
    for name in COLUMNS:
        console.print(f'  {name.replace("_", " "):<20} {with_interval(report, name)}')
    note = report['km_per_incident_note'] or with_interval(report, 'km_per_incident')
    console.print(f'  {"km per incident":<20} {note}')
    planner, timing = report['planner'], report['timing']
    name = f'{planner["name"]} {planner["manifest_sha256"][:12]}'.strip()
    workers = counted(timing['workers'], 'worker')
    console.print(f'{name}, {timing["seconds"]:.0f} s with {workers}')


def number(value: float | None) -> str:
    """Three digits, or that it could not be evaluated."""
    return 'n/a' if value is None else f'{value:.3f}'


def with_interval(report: Report, name: str) -> str:
    """A figure and its 95 % interval."""
    value, interval = number(report[name]), report[f'{name}_ci95']
    if interval is None:
        return value if report[name] is None else f'{value} (one template: no interval)'
    low, high = ('unbounded' if end is None else f'{end:.3f}' for end in interval)
    return f'{value} ({low} to {high})'
