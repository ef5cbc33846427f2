"""``alpamayo model show PROFILE``: the architecture as a table or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from alpamayo_ros.model.summary import Summary
    from alpamayo_ros.profile import ModelProfile


def print_architecture(profile: ModelProfile, as_json: bool) -> None:
    """Layers, parameters and memory of a profile."""
    from alpamayo_ros.model.summary import summarise

    summary = summarise(profile)
    if as_json:
        typer.echo(json.dumps(summary.as_json(), indent=1))
    else:
        _print_table(summary)


def _print_table(summary: Summary) -> None:
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    table = Table('part', 'layers')
    for name in ('parameters', 'bf16', 'fp8'):
        table.add_column(name, justify='right', no_wrap=True)
    for part in summary.parts:
        table.add_row(part.name, part.layers, f'{part.parameters:,}', *_memory(part.parameters))
    table.add_section()
    table.add_row('all', '', f'{summary.parameters:,}', *_memory(summary.parameters))
    typer.echo(f'{summary.profile}: {summary.description}')
    tables.show(table)
    sequence = ', '.join(f'{name} {count:,}' for name, count in summary.sequence.items())
    typer.echo(f'Sequence: {sequence}')
    typer.echo(f'  {summary.tokens:,} tokens at most, of {summary.context:,} positions')
    token, whole = summary.kv_numbers_a_token, summary.kv_numbers_a_token * summary.tokens
    typer.echo(
        f'KV cache: {" / ".join(_memory(token))} a token, {" / ".join(_memory(whole))} '
        'for that sequence (bf16 / fp8)'
    )


def _memory(numbers: int) -> list[str]:
    """``numbers`` in every precision, in decimal units."""
    from alpamayo_ros.model.summary import BYTES

    return [_size(numbers * size) for size in BYTES.values()]


def _size(count: float) -> str:
    for unit in ('B', 'kB', 'MB'):
        if count < 1000:
            return f'{count:.3g} {unit}' if count < 100 else f'{count:.0f} {unit}'
        count /= 1000
    return f'{count:.2f} GB'
