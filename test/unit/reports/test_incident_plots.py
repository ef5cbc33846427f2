"""The time line of an incident: a row for each fault, and how many share the last."""

import re

import pytest

from alpamayo_ros.incident.story import Span, Story
from alpamayo_ros.reports.plots_incident import ROWS, timeline


class Told(Story):
    """So many faults, each 0.5 s after the one before it."""

    def __init__(self, count):
        self.count = count

    @property
    def fault_spans(self):
        return [Span(f'FAULT_{i}', 0.5 * i, 0.5 * i + 0.2) for i in range(self.count)]

    @property
    def states(self):
        return [Span('DEGRADED', -1.0, 9.0)]


def drawn(count):
    return re.findall(r'<text [^>]*>([^<]+)</text>', timeline(Told(count)))


@pytest.mark.parametrize('count', [0, 1, ROWS])
def test_every_fault_has_a_row(count):
    rows = drawn(count)
    assert [r for r in rows if r.startswith('FAULT')] == [f'FAULT_{i}' for i in range(count)]
    assert not [r for r in rows if 'more' in r]


@pytest.mark.parametrize('more', [2, 6, 70])
def test_more_faults_than_rows_are_counted_in_the_last_row(more):
    rows = drawn(ROWS - 1 + more)
    named = [r for r in rows if r.startswith('FAULT')]
    assert named == [f'FAULT_{i}' for i in range(ROWS - 1)]
    assert [r for r in rows if 'more' in r] == [f'and {more} more']


def test_the_shared_row_has_the_time_of_each_of_its_faults():
    bars = [timeline(Told(count)).count('<path ') for count in (ROWS, ROWS + 1, ROWS + 2)]
    assert bars[0] + 2 == bars[1] + 1 == bars[2]
