"""docs/faults.json says what there is: every row, its tests, and the table that is made of it."""

import json

import pytest
from matrix import ROWS


@pytest.fixture
def tool(tools):
    return tools('fault_table')


@pytest.fixture
def rows(repository):
    return json.loads((repository / 'docs' / 'faults.json').read_text())


def test_every_row_is_there_with_the_tests_that_the_page_names(tool, rows):
    listed = tool.listed(tool.PAGE.read_text())
    times = {r['id']: {k: r[k] for k in TIMED if k in r} for r in rows if 'code' in r}
    assert rows == [tool.record(row, listed, times) for row in tool.IDS]


TIMED = ('code', 'detected_s', 'recovered_s', 'verdict', 'reason')


def test_its_tests_exist_and_hold_the_row(rows, repository):
    for row in rows:
        for name in row['tests']:
            assert (repository / name).is_file(), (row['id'], name)
        assert row['tests'] or row['reason']


def test_the_measured_rows_are_those_of_the_matrix_and_pass(rows):
    measured = {row['id']: row for row in rows if 'code' in row}
    assert {n: r['code'] for n, r in measured.items()} == {
        name: row.expected.code.name for name, row in ROWS.items()
    }
    assert {row['verdict'] for row in measured.values()} == {'pass'}


def test_the_page_shows_the_table(tool, rows):
    page = tool.PAGE.read_text()
    assert tool.inserted(page, tool.table(rows)) == page
