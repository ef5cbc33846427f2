"""``alpamayo data stats``: whether shards of training samples are whole, and what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.statuses import Status


def stats(
    folders: Annotated[
        list[Path], typer.Argument(help='Shards, or folders with shards somewhere below.')
    ],
    profile: ProfileOption = 'nano',
    as_json: Annotated[bool, typer.Option('--json', help='The figures as JSON.')] = False,
) -> None:
    """Check every shard against its hashes and count what it holds; exit 5 where one is damaged.

    Example: alpamayo data stats runs/nano/data
    """
    from alpamayo_ros.cli.choices import profile_of
    from alpamayo_ros.training.shards import stats as made

    found = made.find(folders)
    if not found:
        named = ', '.join(map(str, folders))
        raise typer.BadParameter(f'no shard in {named}: alpamayo train run collects some')
    try:
        figures = made.stats(found, profile_of(profile).trajectory.dt_s)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps(figures, indent=1))
    else:
        flat = {k: v for k, v in figures.items() if k not in ('share', 'damaged')}
        for name, value in flat.items():
            typer.echo(f'{name:20} {value}')
        for name, value in figures.get('share', {}).items():
            typer.echo(f'{name:20} {100 * value:.1f} %')
        for said in figures['damaged']:
            typer.echo(said, err=True)
    if figures['damaged']:
        raise typer.Exit(Status.DAMAGED)
