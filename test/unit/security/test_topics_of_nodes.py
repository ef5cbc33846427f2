"""Every topic and service that the nodes' sources open has a line in the table of access."""

from __future__ import annotations

import ast
import functools
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options
from alpamayo_ros.security.access import of_graph
from alpamayo_ros.security.surroundings import outside
from alpamayo_ros.sensing.rig import load_rig

NODES = Path(__file__).resolve().parents[3] / 'alpamayo_ros' / 'nodes'
OPENS = {
    'create_publisher', 'create_subscription', 'create_service', 'create_client',
    'watched_publisher', 'watched_subscription', 'publish', 'subscribe', '_read',
}  # fmt: skip


def opened(source: str) -> set[str]:
    """Names written as text, or as the end of a text, in the calls that open a topic."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        for argument in node.args[:3] if name in OPENS else ():
            parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
            last = parts[-1] if parts else None
            if isinstance(last, ast.Constant) and isinstance(last.value, str):
                found.add(last.value.removeprefix('~/').strip('/'))
    return found - {''}


@functools.cache
def known() -> set[str]:
    """Every name of the table, and each of its ends: a source may give the last part alone."""
    every = []
    for graph, step in itertools.product(GRAPHS, (False, True)):
        bag, truth = graph != 'replay', graph == 'simulator'
        options = Options(record='x', incidents='x', bag_out='x' if bag else '', lockstep=step)
        if bag:
            options = replace(options, controller='twist', autoware=graph == 'vehicle')
        every.append((graph, replace(options, objects='ground_truth' if truth else 'none')))
    accesses = [a for graph, o in every for a in of_graph(GRAPHS[graph](o)).values()]
    accesses += outside(load_rig('sim')).values()
    names = {n for a in accesses for n in (*a.says, *a.hears, *a.answers, *a.asks)}
    out = {'objects'}  # where a graph has ground truth, it is the same topic by another name
    for name in names:
        parts = name.strip('/').split('/')
        out |= {'/'.join(parts[i:]) for i in range(len(parts))}
    return out


def test_no_source_opens_a_name_without_a_line() -> None:
    table = known()
    found = [
        (path.name, name) for path in NODES.rglob('*.py') for name in opened(path.read_text())
    ]
    assert len(found) > 40
    assert [item for item in found if item[1] not in table] == []


@pytest.mark.parametrize(
    ('source', 'name'),
    [
        ("node.create_publisher(Path, '/alpamayo/secret', 10)", 'alpamayo/secret'),
        ("qos.watched_publisher(self, Path, f'{prefix}secret', out)", 'secret'),
        ("self.create_service(Trigger, '~/secret', self._on)", 'secret'),
    ],
)
def test_a_new_name_would_be_found(source: str, name: str) -> None:
    assert opened(source) == {name} and name not in known()
