"""Tables in parquet as columns; pyarrow is asked for only where one is read."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.statuses import MachineError

INSTALL = 'pip install pyarrow==26.0.1 (requirements/view.txt)'
Columns = dict[str, list[Any]]


def read_parquet(source: Path | bytes, wanted: tuple[str, ...]) -> Columns:
    """The named columns of a file or of its bytes; an index of pandas is a column too.

    MachineError without pyarrow; ValueError where the table is none or lacks a column.
    """
    if find_spec('pyarrow') is None:
        raise MachineError(f'parquet files are read by pyarrow, which is not installed: {INSTALL}')
    import pyarrow
    from pyarrow import parquet

    named = source.name if isinstance(source, Path) else 'a table'
    try:
        table = parquet.read_table(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f'{named} is no parquet table: {str(error)[:200]}') from error
    found: Columns = {name: table.column(name).to_pylist() for name in table.column_names}
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(f'{named} has the columns {sorted(found)}; expected {missing[0]!r} too')
    return {name: found[name] for name in wanted}


def numbers(
    table: Columns, names: Iterable[str], where: str
) -> dict[str, Float[np.ndarray, ' n']]:
    """The named columns as finite numbers; ValueError names the first value that is none."""
    return {name: np.array([_number(v, name, where) for v in table[name]]) for name in names}


def _number(value: Any, name: str, where: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f'{where}: {name} is {value!r}; expected a finite number')
    return found
