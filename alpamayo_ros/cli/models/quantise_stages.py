"""The stages of ``alpamayo model quantise``: opened in float, tried in INT8, timed, shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from alpamayo_ros.cli.measuring.cycle.timing import take_turns
from alpamayo_ros.cli.models.capture_process import open_graphs
from alpamayo_ros.cli.models.quantise_drives import cycles_of
from alpamayo_ros.cli.models.stopping import stop
from alpamayo_ros.export.int8.attempt import Attempt, Float, attempt
from alpamayo_ros.export.int8.graph import STAGES
from alpamayo_ros.export.int8.parity import Known, known, output
from alpamayo_ros.export.int8.ranges import Ranges, calibrate
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.replay.setup import ReplayError
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import ModelFiles, read_model
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.units import counted

FASTER = 0.95  # of the time in float; medians of calls that take turns differ by up to 3 %
TIMED = 60  # pairs of calls a stage


@dataclass(frozen=True, slots=True)
class Opened:
    """The float model with its ranges."""

    model: Float
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Judged:
    """A stage in INT8 with its time by that in float (CPU, medians of pairs)."""

    attempt: Attempt
    ms: float
    float_ms: float

    @property
    def time(self) -> float:
        """Below 1: INT8 is faster."""
        return self.ms / self.float_ms

    @property
    def faster(self) -> bool:
        """By more than what medians differ by."""
        return self.time < FASTER

    def record(self) -> dict[str, str | float]:
        """The figures that manifest and card keep."""
        parity = self.attempt.parity
        return {
            'range': self.attempt.share,
            'cosine': round(parity.cosine, 5),
            'mean_m': round(parity.mean_m, 4),
            'end_m': round(parity.end_m, 4),
            'words': round(parity.words, 4),
            'time': round(self.time, 3),
        }


def open_float(
    task: Task,
    stages: Sequence[str],
    sources: Sequence[str],
    cycles: int,
) -> Opened | Fault:
    """The model of ``task`` as it is, and ranges from the first half of each source's cycles.

    ``stages``: those that are to be tried; one that cannot be ends the command before a drive.
    """
    profile = load_profile(task.profile)
    files = read_model(Path(task.model) if task.model else model_dir(profile))
    if isinstance(files, Fault):
        return files
    _refuse_parts(files, stages)
    runtime = open_graphs(files, profile)
    if isinstance(runtime, Fault):
        return runtime
    first, second = list[Recorded](), list[Recorded]()
    for index, source in enumerate(sources):
        try:
            found = cycles_of(source, runtime, index, cycles, task)
        except (FileNotFoundError, ValueError, ReplayError) as error:
            stop(f'--calibration {source}: {error}')
        if len(found) < 2:
            stop(f'--calibration {source}: the model planned {counted(len(found), "time")} in it')
        typer.echo(f'{source}: {counted(len(found), "cycle")}', err=True)
        first += found[: len(found) // 2]
        second += found[len(found) // 2 :]
    ranges = calibrate(files, profile, first)
    if isinstance(ranges, Fault):
        return ranges
    model = Float(files, profile, runtime, known(runtime, first), known(runtime, second))
    return Opened(model, ranges)


def _refuse_parts(files: ModelFiles, stages: Sequence[str]) -> None:
    """The end of the command where the graph of a stage has its weights beside it."""
    apart = [stage for stage in stages if data_file(STAGES[stage]) in files.data]
    if not apart:
        return
    graph, left = STAGES[apart[0]], [stage for stage in stages if stage not in apart]
    advice = f'leave it in float: --stages {",".join(left)}' if left else 'no other was asked for'
    stop(
        f'--stages {",".join(apart)}: {graph} is beyond 2 GiB and has its weights in '
        f'{data_file(graph)}; only a graph of one file becomes INT8; {advice}'
    )


def judge(opened: Opened, stage: str) -> Judged | Fault:
    """One stage in INT8, compared and timed."""
    model = opened.model
    found = attempt(model, stage, opened.ranges)
    if isinstance(found, Fault):
        return found
    calls = {
        'float': partial(_call, model, stage, found, False),
        'int8': partial(_call, model, stage, found, True),
    }
    items = (list(model.others) * (TIMED // len(model.others) + 1))[:TIMED]
    spent = take_turns(items, calls)
    return Judged(found, spent['int8'].median_ms, spent['float'].median_ms)


def _call(model: Float, stage: str, found: Attempt, int8: bool, one: Known) -> None:
    output(found.runtime if int8 else model.runtime, stage, one)


def show(judged: Sequence[Judged], kept: Sequence[Judged]) -> None:
    """Every stage with its figures and what becomes of it."""
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    table = Table('stage', 'range', 'cosine', 'waypoints', 'end 95 %', 'words', 'CPU', 'becomes')
    for one in judged:
        figures, parity = one.attempt, one.attempt.parity
        becomes = 'INT8' if one in kept else f'float: not below {FASTER} of the time'
        table.add_row(
            figures.stage, f'{figures.share:.2%}', f'{parity.cosine:.5f}',
            f'{parity.mean_m:.3f} m', f'{parity.end_m:.3f} m', f'{parity.words:.3f}',
            f'{one.ms:.2f} of {one.float_ms:.2f} ms ({one.time:.2f})', becomes,
        )  # fmt: skip
    tables.show(table)
