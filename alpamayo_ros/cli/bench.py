"""``alpamayo bench``: measure the model's cycle and stages of the data path on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.cli.measuring.cycle.command import run_bench
from alpamayo_ros.cli.measuring.gpu_speed import gpu_command
from alpamayo_ros.cli.measuring.released_speed import released_command
from alpamayo_ros.cli.measuring.replay_speed import replay_command
from alpamayo_ros.cli.measuring.sync_cost import sync_command

HELP = """Measure the model's cycle, and stages of the data path, on this machine.

Example: alpamayo bench --json out/bench.json --quick
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
DRIVE = 'town_drive'


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option('--json', help='Measure all comparisons; write them here.')
    ] = None,
    profile: Annotated[str, typer.Option(help='Profile of the model.')] = 'nano',
    model: Annotated[Path | None, typer.Option(help='Folder of it; default: shipped.')] = None,
    scenario: Annotated[str, typer.Option(help='Drive whose cycles are timed.')] = DRIVE,
    seed: Annotated[int, typer.Option(help='Seed of the drive.')] = 100,
    quick: Annotated[bool, typer.Option('--quick', help='Few cycles, to try it.')] = False,
) -> None:
    """Measure on this machine: all comparisons of a model's cycle with --json, or one stage.

    Example: alpamayo bench --json out/bench.json

    The cycles of one drive are run again by the runtime, by a naive one with the same output, by
    the runtime with one saving less at a time, and beside transformers and diffusers on the same
    weights; all take turns on one thread.  Exit 1 where a bar of docs/speed.md is missed.
    """
    if context.invoked_subcommand is None:
        if out is None:
            raise typer.BadParameter('--json FILE is missing: where the figures are to go')
        run_bench(out, profile, model, scenario, seed, quick)
    elif out is not None:
        raise typer.BadParameter(
            f'--json before {context.invoked_subcommand!r} measures everything; put it behind'
        )


app.command('sync')(sync_command)
app.command('replay')(replay_command)
app.command('released')(released_command)
app.command('gpu')(gpu_command)
