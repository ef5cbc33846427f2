"""``alpamayo model quantise``: stages of a model in INT8, behind gates that refuse a bad one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from alpamayo_ros.cli.choices import one_of, profile_of
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.models.fresh_folder import fresh_folder
from alpamayo_ros.cli.models.stopping import stop
from alpamayo_ros.preflight import check_folder
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.cli.models.quantise_stages import Judged
    from alpamayo_ros.export.int8.attempt import Float
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.simulation.batch.task import Task

T = TypeVar('T')
STAGE_NAMES = ('encoder', 'backbone', 'denoiser')
GOALS = ('processor', 'engine')
COMMAND = 'alpamayo model quantise'


def quantise(
    profile: Annotated[str, typer.Argument(help='A profile by name, or a .yaml path.')] = 'nano',
    to: Annotated[Path, typer.Option(help='Folder to write; it must not exist yet.')] = Path(
        'models/int8'
    ),
    model: Annotated[
        Path | None, typer.Option(help='Model folder; default: the one that ships.')
    ] = None,
    calibration: Annotated[
        list[str] | None,
        typer.Option(
            help='A bag, or a scenario to be driven; repeatable. Default: four scenarios.'
        ),
    ] = None,
    cycles: Annotated[
        int, typer.Option(min=4, max=10_000, help='Cycles of each; half of them judge.')
    ] = 40,
    stages: Annotated[
        str, typer.Option(help='Which to try; the others stay in float.')
    ] = ','.join(STAGE_NAMES),
    goal: Annotated[
        str,
        typer.Option(
            '--for',
            metavar='[processor|engine]',
            help='processor: in INT8 only where that is faster here; engine: for TensorRT.',
        ),
    ] = GOALS[0],
    drives: Annotated[
        int, typer.Option(min=0, max=1000, help='Drives with both models; 0: none.')
    ] = 4,
) -> None:
    """Calibrate, compare and time each stage in INT8; write a model with those that pass.

    Exit 1, and no folder, where a gate refuses a stage or nothing is faster.

    Example: alpamayo model quantise nano --to models/nano_int8 --calibration town_drive
    """
    from alpamayo_ros.cli.common.apart import driving
    from alpamayo_ros.cli.models.quantise_drives import SCENARIOS
    from alpamayo_ros.cli.models.quantise_stages import judge, open_float, show
    from alpamayo_ros.simulation.batch.task import Task

    one_of('for', goal, GOALS)
    chosen = list(dict.fromkeys(name.strip() for name in stages.split(',')))
    for name in chosen:
        one_of('stages', name, STAGE_NAMES)
    _check_new(to)
    check_folder(to)  # before minutes of drives
    profile_of(profile)  # one that is no such profile is refused by name
    task = Task('', profile=profile, model='' if model is None else str(model))
    with driving(COMMAND):
        found = _or_stop(open_float(task, chosen, calibration or SCENARIOS, cycles))
    judged = [_or_stop(judge(found, name)) for name in chosen]
    kept = [one for one in judged if goal == 'engine' or one.faster]
    with whoever_reads():
        show(judged, kept)
    _gate(kept)
    if not kept:
        _say(
            'Nothing is faster in INT8 on this processor: no folder is written.\n'
            'For TensorRT, whose INT8 this does not measure: --for engine'
        )
        raise typer.Exit(Status.FAIL)
    _write(found.model, kept, to, goal, (task, drives))


def _check_new(to: Path) -> None:
    """The end of the command where ``to`` is there."""
    if to.exists():
        stop(f'--to {to} exists already; name another folder, or remove it')


def _gate(kept: list[Judged]) -> None:
    """The end of the command where a stage that would be kept is too far from float."""
    missed = {one.attempt.stage: one.attempt.parity.misses() for one in kept}
    for stage, misses in missed.items():
        for text in misses:
            typer.echo(f'{stage}: {text}', err=True)
    bad = [stage for stage, misses in missed.items() if misses]
    if bad:
        left = [one.attempt.stage for one in kept if one.attempt.stage not in bad]
        advice = f': --stages {",".join(left)}' if left else ', or calibrate on more drives'
        text = f'{", ".join(bad)} refused, no folder is written. Leave it in float{advice}'
        typer.echo(text, err=True)
        raise typer.Exit(Status.FAIL)


def _write(
    found: Float, kept: list[Judged], to: Path, goal: str, driven: tuple[Task, int]
) -> None:
    """The folder, under its name only once both models drove alike."""
    from alpamayo_ros.export.int8.graph import STAGES
    from alpamayo_ros.export.int8.writing import write_int8

    graphs = {STAGES[one.attempt.stage]: one.attempt.data for one in kept}
    outcomes = {one.attempt.stage: one.record() for one in kept}
    here = goal == 'processor'
    with fresh_folder(to) as fresh:
        manifest = _or_stop(
            write_int8(found.files, found.profile, graphs, outcomes, fresh, golden=here)
        )
        _drive(fresh, *driven)
        _check_new(to)  # another call may have been faster
    size = sum(entry.bytes for entry in manifest.files) / 1e6
    typer.echo(f'{to}: {manifest.version}, {size:.1f} MB; drive it with --model {to}')
    if here:
        typer.echo('Another processor rounds otherwise and may refuse it (MODEL_GOLDEN).')
    else:
        typer.echo(
            'No golden answer: an engine rounds otherwise. Compare on the GPU: '
            f'alpamayo engine verify --model {to}'
        )


def _drive(fresh: Path, task: Task, drives: int) -> None:
    """Both models on the same drives; the end of the command where INT8 loses score."""
    from alpamayo_ros.cli.common.apart import driving
    from alpamayo_ros.cli.models.quantise_drives import scores
    from alpamayo_ros.export.int8.parity import SCORE

    if not drives:
        return _say('No drives were asked for: the score in a closed loop is not compared.')
    with driving(COMMAND):
        before, now = (scores(one, drives) for one in (task, replace(task, model=str(fresh))))
    lost = (sum(before) - sum(now)) / len(before)
    _say(
        f'scene score, {drives} with each model: {sum(now) / drives:.3f}, in float '
        f'{sum(before) / drives:.3f}; paired loss {lost:.3f}, at most {SCORE}'
    )
    if lost > SCORE:
        _say('closed loop: refused, no folder is written. Leave a stage in float: --stages')
        raise typer.Exit(Status.FAIL)


def _say(text: str) -> None:
    """Print for whoever reads: a folder or a verdict is still to come."""
    with whoever_reads():
        typer.echo(text)


def _or_stop(found: T | Fault) -> T:
    """``found``, unless it is a fault: then its sentence and its exit status."""
    from alpamayo_ros.faults import Fault

    if isinstance(found, Fault):
        stop(found)
    return found
