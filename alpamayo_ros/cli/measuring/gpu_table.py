"""Figures of ``alpamayo bench gpu`` as plain data and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alpamayo_ros.budget.cycle import Budget
    from alpamayo_ros.model.fast.speed import Measured, Times, Way

Found = dict[str, Any]


def figures(found: Measured, own: Budget, narrow: Budget, ways: Sequence[Way]) -> Found:
    """One profile: times, shares of the roofline, how many times as fast as the naive way."""
    data = _of_type(found.own, found.naive_ms, own, ways)
    data |= {'naive_ms': found.naive_ms, 'upload_ms': found.upload_ms}
    if found.fp8 is not None:
        data['fp8'] = _of_type(found.fp8, found.naive_ms, narrow, ways)
    return data


def _of_type(times: Times, naive_ms: float | None, paper: Budget, ways: Sequence[Way]) -> Found:
    roofs = {stage.name: stage.roofline_ms for stage in paper.stages}
    roofs |= {name: stage.roofline_ms for name, stage in paper.passes.items()}
    roofs['token'] = roofs.pop('plain')
    shares = {name: roofs[name] / spent for name, spent in times.stages.items()}
    fixed = sum(stage.roofline_ms for stage in paper.stages)
    for way in ways:
        whole = fixed + way.passes.count * roofs[way.name]
        shares[f'cycle {way.name}'] = whole / times.cycles[way.name]
    faster = {} if naive_ms is None else {n: naive_ms / t for n, t in times.cycles.items()}
    return {
        'stages_ms': times.stages,
        'cycle_ms': times.cycles,
        'times_as_fast': faster,
        'memory_gb': times.memory_gb,
        'share_of_roofline': shares,
        'words_unlike_plain': times.words_unlike_plain,
        'words_unwritten': times.unwritten,
    }


def show(found: Found) -> None:
    """One column a profile; fp8 below the weights' own type."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    table = Table('ms (share of roofline)', *found['profiles'], box=SIMPLE_HEAD)
    profiles = list(found['profiles'].values())
    for name, *cells in _rows(profiles):
        table.add_row(name, *cells)
    table.add_row('naive', *(_or_none(one['naive_ms'], 0) for one in profiles))
    narrow = [one['fp8'] for one in profiles if 'fp8' in one]
    for name, *cells in _rows(narrow):
        table.add_row(f'fp8: {name}', *cells)
    tables.show(table)


def _rows(profiles: Sequence[Found]) -> list[list[str]]:
    if not profiles:
        return []
    rows = [
        [name, *(_timed(one, 'stages_ms', name, name) for one in profiles)]
        for name in profiles[0]['stages_ms']
    ]
    ways = list(profiles[0]['cycle_ms'])
    for name in ways:
        cells = [_timed(one, 'cycle_ms', name, f'cycle {name}') for one in profiles]
        rows.append([f'cycle, {name}', *cells])
    for name in ways:
        cells = [_or_none(one['times_as_fast'].get(name), 1) for one in profiles]
        rows.append([f'times as fast, {name}', *cells])
    rows.append(['memory, GB', *(_or_none(one['memory_gb'], 1) for one in profiles)])
    return rows


def _timed(one: Found, kind: str, name: str, share: str) -> str:
    return f'{one[kind][name]:.2f} ({100 * one["share_of_roofline"][share]:.0f} %)'


def _or_none(value: float | None, digits: int) -> str:
    return '-' if value is None else f'{value:.{digits}f}'
