"""``alpamayo sim --suite ... --report DIR``: the worst drives again, on film and on a page.

A drive is a function of scenario, seed and planner, so what is recorded is what was scored; where
a row comes out differently, that is said: it is a fault of the package or of the machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.cli.common.unwritten import say_unwritten
from alpamayo_ros.cli.simulating.progress import Bar
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import film as film_of
from alpamayo_ros.reports import plan_bag
from alpamayo_ros.simulation.batch import batch, suite
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task

FILM = 'drive.mp4'
RUNS = 'runs'
PAGE = 'report.html'
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A drive that the page shows: its row, and the folder with recording and film."""

    row: Row
    folder: Path
    film: Path


def worst(rows: Sequence[Row], count: int) -> list[int]:
    """Places of the ``count`` worst rows.

    Incidents first, then by drive score, wrong ones before right ones; ties in the order of the
    suite.
    """

    def badness(place: int) -> tuple[bool, float, bool, int]:
        row = rows[place]
        return (not row['incidents'], row['drive_score'], row['right'], place)

    return sorted(range(len(rows)), key=badness)[:count]


def redrive(
    task: Task, jobs: Sequence[Job], rows: Sequence[Row], folder: Path, workers: int
) -> list[Shown]:
    """Drive the runs again with a recorder, and film each; ``rows``: what they scored before."""
    folders = [folder / RUNS / f'{job.scenario.name}_{job.seed}' for job in jobs]
    for old in folders:
        shutil.rmtree(old, ignore_errors=True)
    again = [
        Job(job.scenario, job.seed, str(place.resolve()))
        for job, place in zip(jobs, folders, strict=True)
    ]
    shown = []
    with Bar('worst drives', again) as bar:
        found, _ = batch.drive(task, again, batch.Execution(workers, done=bar.done, tell=bar.tell))
        for job, row, before, place in zip(again, found, rows, folders, strict=True):
            name = f'{job.scenario.name}, seed {job.seed}'
            if suite.scored(job, row) != before:
                bar.tell(f'{name}: driven again, it went differently; this must not happen')
            bar.tell(f'film and {plan_bag.NAME} of {name}')
            plan_bag.write(Recording(place), place / plan_bag.NAME)
            shown.append(Shown(before, place, film(place)))
    say_unwritten(Recording(item.folder) for item in shown)
    return shown


def write_page(
    report: dict[str, Any],
    shown: Sequence[Shown],
    folder: Path,
    before: Mapping[str, Any] | None = None,
) -> Path:
    """DIR/report.html, which links films and pages of drives; ``before``: shown beside it."""
    from alpamayo_ros.reports import report_suite

    path = folder / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    found = [(item.row, Recording(item.folder)) for item in shown]
    for row, recording in found:
        alone = recording.folder / report_suite.PAGE
        alone.write_text(report_suite.drive_page(row, recording), encoding='utf-8')
    path.write_text(report_suite.page(report, found, before), encoding='utf-8')
    return path


def film(folder: Path) -> Path:
    """drive.mp4 of a recording, in its folder."""
    path = folder / FILM
    film_of.film(Recording(folder), path)
    return path
