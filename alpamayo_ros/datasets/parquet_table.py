"""Tables in parquet as columns; pyarrow is asked for only where one is read."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.environment import apart_folder
from alpamayo_ros.statuses import MachineError

PIN = 'pyarrow==26.0.1'  # as in requirements/view.txt
Columns = dict[str, list[Any]]


def load_pyarrow() -> tuple[Any, Any]:
    """pyarrow and its ``parquet``; MachineError where there is none.

    The folder apart is on ``sys.path`` for this import alone: libsumo, imported later, warns on
    standard output of any pyarrow that it could import.
    """
    place = str(apart_folder())
    sys.path.append(place)
    try:
        return import_module('pyarrow'), import_module('pyarrow.parquet')
    except ImportError as error:
        install = f'{sys.executable} -m pip install --no-deps --target {place} {PIN}'
        raise MachineError(
            f'parquet files are read by pyarrow, which is not installed ({error}). '
            f'Type: {install}, or: alpamayo view --install, which brings it along'
        ) from error
    finally:
        sys.path.remove(place)


def read_parquet(source: Path | bytes, wanted: tuple[str, ...]) -> Columns:
    """The named columns of a file or of its bytes; an index of pandas is a column too.

    MachineError without pyarrow; FileNotFoundError where there is no file; ValueError where the
    table is none or lacks a column.
    """
    pyarrow, parquet = load_pyarrow()
    if isinstance(source, Path) and not source.is_file():
        raise FileNotFoundError(f'there is no {source}')
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
