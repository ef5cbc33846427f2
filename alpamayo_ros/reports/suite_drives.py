"""The drives of a suite as a table that can be sorted and narrowed without a script.

Every row carries its place in each order; the page's style puts the cells into the order that is
chosen above the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
# What a table can be sorted by, and whether small values come first.
ORDERS: dict[str, bool] = {
    'drive_score': True, 'scene_score': True, 'progress': True, 'distance_m': True,
    'severity': False, 'name': True,
}  # fmt: skip
# What a table can be narrowed to, and what is said where no row is of that kind.
KINDS = {
    'failed': 'no drive failed',
    'incident': 'no drive had a contact at fault or left the road',
    'changed': 'no drive was scored otherwise',
}
LABELS = {'distance_m': 'distance', 'name': 'template'}


@dataclass(frozen=True, slots=True)
class Line:
    """A drive; ``places``: its place in each order; ``page``: its own page, '' without one."""

    row: Row
    end: str
    places: dict[str, int]
    page: str
    before: Row | None
    change: float | None

    @property
    def kinds(self) -> str:
        """Classes by which the table is narrowed."""
        found = ['right' if self.row['right'] else 'failed']
        found += ['incident'] if self.row['incidents'] else []
        found += ['changed'] if self.change else []
        return ' '.join(found)


def lines(
    rows: Sequence[Row],
    ends: Sequence[str],
    pages: Mapping[int, str],
    before: Sequence[Row] | None = None,
) -> list[Line]:
    """One line a row; ``pages``: links by place; ``before``: the same runs of another model."""
    places = {key: _places(rows, key, small) for key, small in ORDERS.items()}
    found = []
    for i, (row, end) in enumerate(zip(rows, ends, strict=True)):
        other = None if before is None else before[i]
        change = None if other is None else _change(other, row)
        own = {key: order[i] for key, order in places.items()}
        found.append(Line(row, end, own, pages.get(i, ''), other, change))
    return found


def unmatched(found: Sequence[Line]) -> dict[str, str]:
    """The kinds of which there is no line, each with what is said in its place.

    Without earlier runs beside them, lines are not narrowed to those that changed.
    """
    there = {kind for line in found for kind in line.kinds.split()}
    there |= set() if any(line.before for line in found) else {'changed'}
    return {kind: said for kind, said in KINDS.items() if kind not in there}


def _change(before: Row, now: Row) -> float | None:
    a, b = before.get('drive_score'), now.get('drive_score')
    return None if a is None or b is None else round(b - a, 6)


def _places(rows: Sequence[Row], key: str, small: bool) -> list[int]:
    """The place of each row when sorted by ``key``; rows without a value come last."""

    def rank(i: int) -> tuple[bool, Any, int]:
        value = rows[i].get(key)
        if value is None:
            return True, 0, i
        return False, value if small else -value, i

    order = sorted(range(len(rows)), key=rank)
    places = [0] * len(rows)
    for place, i in enumerate(order):
        places[i] = place + 1
    return places
