"""``alpamayo rig``: a rig file from a recording, and a rig checked."""

from __future__ import annotations

import typer

from alpamayo_ros.cli.rig.check import check
from alpamayo_ros.cli.rig.from_bag import from_bag

HELP = """Write the rig file of a recording, and check a rig.

Examples: alpamayo rig from-bag drive.mcap --out my_car.yaml; alpamayo rig check my_car.yaml
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)


@app.callback()
def rig() -> None:
    """Write the rig file of a recording, and check a rig."""


app.command('from-bag')(from_bag)
app.command('check')(check)
