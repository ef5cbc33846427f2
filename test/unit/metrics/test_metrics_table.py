"""The table of metrics, its page, and the public names."""

from __future__ import annotations

import re
from pathlib import Path

from alpamayo_ros import metrics
from alpamayo_ros.metrics.page import page
from alpamayo_ros.metrics.table import GROUPS


def test_the_page_is_what_the_table_says(repository: Path):
    """If not: python -m alpamayo_ros.metrics.page > docs/metrics.md."""
    assert (repository / 'docs' / 'metrics.md').read_text() == page()


def test_every_metric_is_defined_once_and_shown():
    listed = [d.name for group in GROUPS.values() for d in group]
    assert len(listed) == len(set(listed)) == len(metrics.METRICS)
    rows = re.findall(r'^\| `([a-z0-9_]+)` \|(.*)\|$', page(), re.MULTILINE)
    shown = {name: cells.count('|') for name, cells in rows if name in metrics.METRICS}
    assert set(shown) == set(listed) and set(shown.values()) == {3}, 'a bar in a cell?'


def test_definitions_are_complete():
    for name, d in metrics.METRICS.items():
        assert d.name == name and re.fullmatch(r'[a-z][a-z0-9_]*', name)
        assert d.unit and d.source and d.sentence.endswith('.') and d.better in (
            'lower', 'higher', '',
        )  # fmt: skip


def test_a_protocol_is_in_the_name():
    for name in metrics.METRICS:
        if name.startswith(('l2_', 'collision_')):
            assert re.fullmatch(r'(l2|collision)_(at|up_to)_\ds', name)
        if name.startswith('min_'):
            assert re.fullmatch(r'min_(ade|fde)_k_\ds', name)


def test_every_public_name_is_there_and_documented():
    for name in metrics.__all__:
        assert getattr(metrics, name).__doc__ or name.isupper(), name
