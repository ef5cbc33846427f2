"""How a command about a model ends when it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer

from alpamayo_ros.faults import Fault
from alpamayo_ros.runtime.loader import bare_weights
from alpamayo_ros.runtime.registry import status_of
from alpamayo_ros.statuses import Status


def stop(found: Fault | str) -> NoReturn:
    """Print what is wrong and exit with its status."""
    typer.echo(str(found), err=True)
    raise typer.Exit(Status.USAGE if isinstance(found, str) else status_of(found))


def stop_at_bare_weights(folder: Path) -> None:
    """End the command where a folder holds weights that nobody exported yet."""
    if said := bare_weights(folder):
        stop(said)
