"""The street names of a map: a text file, one name a line, against which instructions are held.

Where a list is known, a name that is not on it never reaches the model (docs/faults.md, row F29).
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing.navigation import clean_street

MOST_BYTES = 16 << 20  # a country has some hundred thousand names of 20 bytes


def read_streets(path: str | Path) -> frozenset[str]:
    """The names in the file; blank lines and those that begin with ``#`` are none.

    FileNotFoundError or ValueError names the file, and the line that is no street.
    """
    file = Path(path)
    if file.exists() and not file.is_file():
        raise ValueError(f'{file} is no regular file; expected a text file, one street a line')
    with file.open('rb') as opened:
        data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f'{file} has more than {MOST_BYTES} bytes; expected one street a line')
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f'{file} is not UTF-8: {error}') from error
    found = set()
    for number, line in enumerate(lines, 1):
        name = unicodedata.normalize('NFC', line).strip()
        if not name or name.startswith('#'):
            continue
        street = clean_street(name, {name})
        if isinstance(street, Fault):
            raise ValueError(f'{file}, line {number}: {street.message}; expected a street name')
        found.add(street)
    if not found:
        raise ValueError(f'{file} holds no street; leave the parameter streets empty for no list')
    return frozenset(found)
