"""``alpamayo data stats``: whether shards and clips are whole, and what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.statuses import Status


def stats(
    folders: Annotated[
        list[Path], typer.Argument(help='Shards, clips, or folders with some somewhere below.')
    ],
    profile: ProfileOption = 'nano',
    as_json: Annotated[bool, typer.Option('--json', help='The figures as JSON.')] = False,
) -> None:
    """Check every shard or clip against its hashes and count what it holds.

    Exit 5 where one is damaged.

    Example: alpamayo data stats runs/nano/data
    """
    from alpamayo_ros.training.clips.clip_stats import lines

    figures = _figures(folders, profile)
    with whoever_reads():
        typer.echo(json.dumps(figures, indent=1) if as_json else '\n'.join(lines(figures)))
    for said in figures['damaged'] if not as_json else ():
        typer.echo(said, err=True)
    if figures['damaged']:
        raise typer.Exit(Status.DAMAGED)


def _figures(folders: list[Path], profile: str) -> dict[str, Any]:
    """Of the shards below the folders, else of the clips; typer.BadParameter without either."""
    from alpamayo_ros.cli.choices import profile_of
    from alpamayo_ros.config_file import check_folders
    from alpamayo_ros.training.clips import storage
    from alpamayo_ros.training.clips.clip_stats import clip_stats
    from alpamayo_ros.training.shards import stats as made

    check_folders(folders)
    shards, clips = made.find(folders), list(storage.find(folders))
    named = ', '.join(map(str, folders))
    if shards and clips:
        raise typer.BadParameter(f'{named} holds shards and clips; name one kind at a time')
    if clips:
        return clip_stats(clips)
    if not shards:
        text = f'no shard and no clip in {named}: alpamayo train run and alpamayo data clips'
        raise typer.BadParameter(f'{text} make some')
    try:
        return made.stats(shards, profile_of(profile).trajectory.dt_s)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
