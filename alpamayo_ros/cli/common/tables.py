"""Tables that stay readable on a narrow terminal: as columns, or as a block of lines a row."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

LONG = 24  # a longer word (a path, a hash) breaks on a narrow terminal in any layout
WIDE = 200  # of what goes into a file or a pipe, where no terminal breaks a line


def console() -> Console:
    """Standard output; into a file or a pipe lines are ``WIDE`` unless COLUMNS says otherwise."""
    out = Console(highlight=False)
    if out.is_terminal or os.environ.get('COLUMNS'):
        return out
    return Console(highlight=False, width=WIDE)


def show(table: Table, out: Console | None = None) -> None:
    """Print a table; where its columns would break a word, a block of lines for each row."""
    out = out or console()
    if whole(table, out):
        out.print(table)
    else:
        _blocks(table, out)


def whole(table: Table, out: Console) -> bool:
    """Whether every word of the cells and headings stays in one piece on this console."""
    page = io.StringIO()
    Console(file=page, width=out.width, highlight=False, color_system=None).print(table)
    printed = set(page.getvalue().translate(str.maketrans('│┃', '  ')).split())
    cells = [column.header for column in table.columns]
    cells += [cell for column in table.columns for cell in column.cells]
    wanted = {word for cell in cells for word in _text(cell).plain.split() if len(word) <= LONG}
    return wanted <= printed


def _blocks(table: Table, out: Console) -> None:
    """The first cell of a row as its heading, the others below it with theirs."""
    headings = [_text(column.header).plain.replace('\n', ' ') for column in table.columns]
    if table.title:
        out.print(_text(table.title), style='italic')
    for row in _rows(table):
        first, *others = row
        out.print(first, style='bold')
        block = Table.grid(padding=(0, 2))
        block.add_column(no_wrap=True, style='dim')
        block.add_column(overflow='fold')
        for heading, cell in zip(headings[1:], others, strict=True):
            if cell.plain:
                block.add_row(f'  {heading}' if heading else ' ', cell)
        out.print(block)


def _rows(table: Table) -> Iterator[list[Text]]:
    """The cells, in the colours of their rows."""
    columns = [list(column.cells) for column in table.columns]
    for row, cells in zip(table.rows, zip(*columns, strict=True), strict=True):
        found = [_text(cell) for cell in cells]
        if row.style:
            for text in found:
                text.stylize(row.style)
        yield found


def _text(cell: object) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text.from_markup(str(cell))
