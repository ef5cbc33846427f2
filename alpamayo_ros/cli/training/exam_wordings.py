"""``alpamayo train exam --wordings``: is a wish understood in other words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from alpamayo_ros.cli.common import tables
from alpamayo_ros.cli.training.exam import candidate, in_words, sound_shards
from alpamayo_ros.cli.training.stream import weights_of
from alpamayo_ros.cli.working import working
from alpamayo_ros.simulation.driving_wish import SPLITS
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.exam.held_out import groups
from alpamayo_ros.training.exam.understood import Understood, by_wish, every, understood

STATES = 160  # of all drives; a wording takes a second or two
WORST = 5


def exam_wordings(root: Path, weights: list[Path], out: Path | None) -> None:
    """Ask all ``weights`` in every wording; print, and write ``out``."""
    files = [weights_of(place) for place in weights or [root]]
    found: list[list[Understood]] = []
    with working('wordings', (ConfigError,)) as tell:
        shards = sound_shards(root)
        for k, file in enumerate(files):
            model, answering = candidate(root, file)
            some = every(groups(shards, model, answering.grammar), STATES, len(shards))
            found.append(
                understood(model, some, answering, lambda s, k=k: tell((k + s) / len(files)))  # type: ignore[misc]
            )
    _show(files, found)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        records = [
            {'weights': str(file), 'wordings': [asdict(one) for one in rows]}
            for file, rows in zip(files, found, strict=True)
        ]
        out.write_text(json.dumps(records, indent=1) + '\n')


def _show(files: Sequence[Path], found: Sequence[Sequence[Understood]]) -> None:
    from rich.table import Table

    table = Table('wish', 'wordings', *(str(file.parent) for file in files))
    columns = [by_wish(rows) for rows in found]
    for wish in columns[0]:
        for split in SPLITS:
            cells = (in_words(column[wish][split]) for column in columns)
            table.add_row(wish, split.replace('_', ' '), *cells)
    tables.show(table)
    typer.echo('Share of what the known wording does to the plan (of talk, which asks for '
               'nothing: of what conservative does); in brackets 95 % over wordings')  # fmt: skip
    for file, rows in zip(files, found, strict=True):
        wishes = [one for one in rows if one.split == 'held_out' and one.wish != 'talk']
        worst = sorted(wishes, key=lambda one: one.share)[:WORST]
        said = ', '.join(f"'{one.wording}' {one.share:.2f}" for one in worst)
        typer.echo(f'{file.parent}, least understood of the held-out ones: {said}')
