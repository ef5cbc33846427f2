"""``alpamayo train gpu-bundle``: what was typed, then the folder."""

from __future__ import annotations

from pathlib import Path

import typer

from alpamayo_ros.cli.training.stream import settings_of, weights_of
from alpamayo_ros.statuses import Status
from alpamayo_ros.training.bundle.bundle import write_bundle
from alpamayo_ros.training.bundle.packages import BundleError


def gpu_bundle(
    to: Path, recipe: str, begin: Path, python: str, libraries: bool, towns: bool
) -> None:
    """Write the folder and say what is in it."""
    settings, weights = settings_of(recipe, {}), weights_of(begin)
    try:
        sizes = write_bundle(to, settings, weights, python, libraries, towns)
    except BundleError as error:
        typer.echo(f'alpamayo train gpu-bundle: {error}', err=True)
        raise typer.Exit(Status.ENVIRONMENT) from None
    for name, size in sizes.items():
        typer.echo(f'{size / 2**20:6.1f} MiB  {name}')
    typer.echo(f'{sum(sizes.values()) / 2**20:6.1f} MiB  in all; on that machine:')
    typer.echo(f'sh {to.name}/start.sh SECONDS, then sh {to.name}/watch.sh SECONDS OUT')
