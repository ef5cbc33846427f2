"""docs/faults.json and the table of it in docs/faults.md: ``python tools/fault_table.py``.

Rows of level P that a simulated drive shows are driven and timed; the others are named with the
tests that docs/faults.md lists for them, or with the reason why there is none.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'test' / 'support'))
PAGE, TABLE = ROOT / 'docs' / 'faults.md', ROOT / 'docs' / 'faults.json'
BEGIN, END = '<!-- measured: python tools/fault_table.py -->', '<!-- end of measured -->'
IDS = tuple(f'F{number:02d}' for number in range(1, 59))
NODE = set('F03 F13 F21 F26 F31 F36 F47 F49 F50 F53 F54 F55 F56 F57 F58'.split())
SYSTEM = set('F04 F32 F38 F51 F52'.split())
NOT_RUN = {
    'F38': 'no GPU was at hand',
    'F46': 'no engine ships whose platform could differ',
    'F51': 'no test of every change: ./run nightly soak',
    'F52': 'no test of every change: ./run nightly starve',
    'F53': 'the wheels of Fast DDS hold no security plugin',
    'F54': 'the wheels of Fast DDS hold no security plugin',
}
Row = dict[str, Any]


def listed(page: str) -> dict[str, list[str]]:
    """The tests that the matrix of docs/faults.md names, by row."""
    out: dict[str, list[str]] = {}
    for line in page.splitlines():
        if not re.match(r'\| F\d\d', line):
            continue
        cells = line.split('|')
        for row in re.findall(r'F\d\d', cells[1]):
            out[row] = re.findall(r'`(test/[^`]+\.py)`', cells[-2])
    return out


def level(row: str) -> str:
    """Pure, node or system: where the row is shown."""
    return 'S' if row in SYSTEM else 'N' if row in NODE else 'P'


def record(row: str, tests: dict[str, list[str]], times: dict[str, Row]) -> Row:
    """One entry of docs/faults.json."""
    found: Row = {'id': row, 'level': level(row), 'detected_s': None, 'recovered_s': None}
    found |= times.get(row, {})
    if row in times:
        return {**found, 'tests': ['test/fault/test_matrix.py', *tests.get(row, [])]}
    if row in NOT_RUN or not tests.get(row):
        reason = NOT_RUN.get(row, 'no test')
        return {**found, 'verdict': 'not run', 'reason': reason, 'tests': []}
    return {**found, 'verdict': 'tested', 'tests': tests[row]}


def measure() -> dict[str, Row]:
    """Drives with each row of the simulator: times and verdict."""
    import invariants
    import matrix

    out = {}
    for name, row in matrix.ROWS.items():
        seen = matrix.run(name)
        broken = invariants.violations(seen, row.expected, matrix.START_S, matrix.STOP_S)
        named = invariants.detected_s(seen, row.expected.code, matrix.START_S)
        back = invariants.recovered_s(seen, matrix.STOP_S)
        out[name] = {
            'code': row.expected.code.name,
            'detected_s': None if named is None else round(named, 1),
            'recovered_s': None if back is None else round(back, 1),
            'verdict': 'fail' if broken else 'pass',
            **({'reason': '; '.join(broken)} if broken else {}),
        }
        print(name, out[name], flush=True)
    return out


def table(rows: list[Row]) -> str:
    """The Markdown table of the rows that were measured, and a sentence about the others."""
    lines = [
        '| row | named | after | recovered after | verdict |',
        '| --- | --- | --- | --- | --- |',
    ]
    for row in rows:
        if 'code' in row:
            named, back = (f'{row[k]:.1f} s' for k in ('detected_s', 'recovered_s'))
            lines.append(f'| {row["id"]} | {row["code"]} | {named} | {back} | {row["verdict"]} |')
    missing = [f'{row["id"]} ({row["reason"]})' for row in rows if row['verdict'] == 'not run']
    return '\n'.join([*lines, '', f'Not run: {", ".join(missing)}.'])


def inserted(page: str, text: str) -> str:
    """``page`` with ``text`` between its marks."""
    before, rest = page.split(BEGIN)
    return f'{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}'


def main() -> None:
    """Drive, and write both files."""
    times = measure()
    page = PAGE.read_text()
    rows = [record(row, listed(page), times) for row in IDS]
    TABLE.write_text(json.dumps(rows, indent=1) + '\n')
    PAGE.write_text(inserted(page, table(rows)))


if __name__ == '__main__':
    main()
