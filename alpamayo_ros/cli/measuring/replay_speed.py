"""``alpamayo bench replay``: how fast recordings are replayed here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.statuses import Status as Exits

if TYPE_CHECKING:
    from alpamayo_ros.replay.speed import ReplayBench


def replay_command(
    out: Annotated[Path, typer.Option(help='Folder that keeps the synthetic recording.')] = Path(
        'out/bench'
    ),
    seconds: Annotated[float, typer.Option(min=3, max=600, help='Length of it.')] = 15.0,
    profile: Annotated[str, typer.Option(help='Profile of the model.')] = 'nano',
    runtime: Annotated[str, typer.Option(help='onnx, torch or scripted.')] = 'onnx',
    model: Annotated[str, typer.Option(help='Folder of the model; default: the shipped.')] = '',
    workers: Annotated[int, typer.Option(min=0, max=64, help='Threads; 0: by the machine.')] = 0,
    repeats: Annotated[int, typer.Option(min=1, max=20, help='The best of so many.')] = 2,
    as_json: Annotated[bool, typer.Option('--json', help='Print JSON.')] = False,
) -> None:
    """Replay of six 1600 x 900 cameras: stage times, and how much of their ceiling is reached.

    Exit 1 under 3 times real time without the model, or under 80 % of the ceiling with it.
    """
    from alpamayo_ros.cli.working import saying
    from alpamayo_ros.preflight import check_folder, check_model
    from alpamayo_ros.profile import load_profile
    from alpamayo_ros.replay import speed as bench
    from alpamayo_ros.replay.options import Options
    from alpamayo_ros.replay.setup import ReplayError

    check_model(runtime, load_profile(profile), model)
    check_folder(out)
    with saying('recording') as say:
        bag = bench.drive(out, seconds, lambda s: say(f'recording {s:.1f} s'))
        options = Options(profile=profile, runtime=runtime, model=model, workers=workers)
        try:
            found = bench.measure(
                bag, options, repeats, lambda n, p: say(f'{n}: {p.done_s:.1f} s')
            )
        except ReplayError as error:
            typer.echo(f'alpamayo bench replay: {error}', err=True)
            raise typer.Exit(Exits.USAGE) from error
    with whoever_reads():
        if as_json:
            typer.echo(json.dumps(asdict(found) | {'ok': found.ok}, indent=1))
        else:
            show(found)
    raise typer.Exit(Exits.PASS if found.ok else Exits.FAIL)


def show(found: ReplayBench) -> None:
    """Stages, then the two figures that count."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from alpamayo_ros.cli.common import tables
    from alpamayo_ros.replay.speed import REACHED, REAL_TIME

    console = tables.console()
    table = Table('stage', 'ms a timestep', box=SIMPLE_HEAD)
    for name, value in found.stage_ms.items():
        table.add_row(name, f'{value:.2f}')
    tables.show(table, console)
    console.print(
        f'{found.timesteps} timesteps, {found.megabytes:.0f} MB, {found.processors} processors, '
        f'{found.decode_threads} decoding threads beside the model\n'
        f'without model: {found.without_model_times_real_time:.2f} times real time '
        f'(at least {REAL_TIME:g}), {found.without_model_cpu_ms:.1f} ms of CPU a timestep\n'
        f'with model: {found.model_hz:.2f} of at most {found.ceiling_hz:.2f} timesteps a second, '
        f'{found.reached:.1%} (at least {REACHED:.0%})\n'
        f'{"ok" if found.ok else "NOT ok"}',
        soft_wrap=True,
    )
