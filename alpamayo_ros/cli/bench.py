"""``alpamayo bench``: measure stages of the data path on this machine."""

from __future__ import annotations

import typer

from alpamayo_ros.cli.measuring.replay_speed import replay_command
from alpamayo_ros.cli.measuring.sync_cost import sync_command

app = typer.Typer(no_args_is_help=True, help='Measure stages on this machine.')


@app.callback()
def bench() -> None:
    """Measure stages on this machine."""


app.command('sync')(sync_command)
app.command('replay')(replay_command)
