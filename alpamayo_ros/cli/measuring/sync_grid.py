"""``alpamayo bench sync --grid``: mixtures of camera rates beside the stock filter, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from alpamayo_ros.cli.measuring.camera_mixtures import (
    MixtureReport,
    all_mixtures,
    measure,
    median_us,
)
from alpamayo_ros.cli.working import working
from alpamayo_ros.limits import load_limits


def measure_grid(seconds: float, seed: int) -> list[MixtureReport]:
    """Every mixture once, with a bar; Ctrl-C ends with status 130."""
    mixtures, limits = list(all_mixtures()), load_limits()
    found = []
    with working(f'{len(mixtures)} mixtures of camera rates') as tell:
        for number, mixture in enumerate(mixtures):
            found.append(measure(mixture, seconds, seed, limits))
            tell((number + 1) / len(mixtures))
    return found


def good(reports: Sequence[MixtureReport], limit_us: float) -> bool:
    """No timestep lost without a name, and the median set inside the limit of time."""
    return not any(r.lost for r in reports) and median_us(list(reports)) <= limit_us


def as_record(reports: Sequence[MixtureReport], limit_us: float) -> dict[str, object]:
    """All mixtures with their figures, for ``--json``."""
    return {
        'ok': good(reports, limit_us),
        'limit_us': limit_us,
        'set_us_median': median_us(list(reports)),
        'mixtures': [asdict(report) for report in reports],
    }


def show(reports: Sequence[MixtureReport], limit_us: float) -> None:
    """A row a pair of rates, over losses, jitter and a dying camera."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    names: tuple[str, ...] = ('front\nHz', 'others\nHz', 'due', 'sets', 'refused', 'lost')
    names += ('skew\nms', 'held\nms', 'us\na set', 'stock\nfilter')
    table = Table(*names, box=SIMPLE_HEAD)
    for column in table.columns:
        column.justify = 'right'
    for (front, others), group in groupby(reports, key=_rates):
        table.add_row(f'{front:g}', f'{others:g}', *_cells(list(group)))
    console = tables.console()
    tables.show(table, console)
    verdict = 'ok' if good(reports, limit_us) else 'NOT ok'
    lost, refused = sum(r.lost for r in reports), sum(r.refused for r in reports)
    console.print(
        f'{len(reports)} mixtures: {lost} timesteps lost without a name, {refused} refused '
        'because the front camera was silent; CPU a set: median '
        f'{median_us(list(reports)):.0f} us (limit {limit_us:.0f}): {verdict}'
    )


def _rates(report: MixtureReport) -> tuple[float, float]:
    return report.mixture.reference_hz, report.mixture.others_hz


def _cells(group: list[MixtureReport]) -> list[str]:
    """Sums and the worst of the mixtures of one pair of rates."""
    stock = sum(r.stock_share for r in group) / len(group)
    return [
        str(sum(r.timesteps for r in group)),
        str(sum(r.sets for r in group)),
        str(sum(r.refused for r in group)),
        str(sum(r.lost for r in group)),
        f'{max(r.skew_ms for r in group):.0f}',
        f'{max(r.held_ms for r in group):.0f}',
        f'{median_us(group):.0f}',
        f'{stock:.0%}',
    ]
