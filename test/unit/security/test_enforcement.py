"""A secured graph starts with enforcement and a whole keystore, and else refuses."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from alpamayo_ros.bringup import vehicle
from alpamayo_ros.cli.main import app
from alpamayo_ros.graph_options import Options
from alpamayo_ros.graph_spec import ros_arguments
from alpamayo_ros.security.enforcement import FILES, NotSecuredError, refusals, secured

ROOT = Path(__file__).resolve().parents[3]
GRAPH = vehicle(Options())


@pytest.fixture
def enforced(tmp_path: Path) -> dict[str, str]:
    """An environment that enforces, with a keystore that is whole."""
    for node in GRAPH.nodes:
        folder = tmp_path / 'enclaves' / node.enclave.lstrip('/')
        folder.mkdir(parents=True)
        for name in FILES:
            (folder / name).write_text('')
    return {
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': str(tmp_path),
    }


def test_enforced_each_process_starts_in_its_enclave(enforced: dict[str, str]) -> None:
    graph = secured(GRAPH, enforced)
    for node in graph.nodes:
        assert ros_arguments(node, graph, 'x.yaml')[-2:] == ['--enclave', node.enclave]
    assert '--enclave' not in ros_arguments(GRAPH.nodes[0], GRAPH, 'x.yaml')


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('ROS_SECURITY_ENABLE', ''), ('ROS_SECURITY_ENABLE', 'True'), ('ROS_SECURITY_ENABLE', '1'),
        ('ROS_SECURITY_STRATEGY', ''), ('ROS_SECURITY_STRATEGY', 'Permissive'),
        ('ROS_SECURITY_STRATEGY', 'enforce'), ('ROS_SECURITY_KEYSTORE', ''),
        ('ROS_SECURITY_KEYSTORE', '/nonexistent'),
        ('ROS_SECURITY_ENCLAVE_OVERRIDE', '/alpamayo/trajectory'),
    ],
)  # fmt: skip
def test_anything_less_is_refused_by_name(enforced: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(NotSecuredError, match=f'refuses to start:\n.*{name}'):
        secured(GRAPH, enforced | {name: value})


@pytest.mark.parametrize('lost', FILES)
def test_an_enclave_that_is_not_whole_is_refused(enforced: dict[str, str], lost: str) -> None:
    keystore = Path(enforced['ROS_SECURITY_KEYSTORE'])
    (keystore / 'enclaves' / 'alpamayo' / 'planner' / lost).unlink()
    (wrong,) = refusals((node.enclave for node in GRAPH.nodes), enforced)
    assert f'planner has no {lost}' in wrong


def test_without_anything_every_reason_is_said() -> None:
    assert len(refusals(['/alpamayo/monitor'], {})) == 3


def test_the_launch_file_starts_no_process_unless_enforced(
    enforced: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launch file with a stand-in for ``launch``, which is not on PyPI."""
    graphs = []
    stand_in = ModuleType('launching')
    stand_in.description = lambda graph, _: graphs.append(graph)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, 'alpamayo_ros.nodes.common.launching', stand_in)
    runpy.run_path(str(ROOT / 'launch' / 'secure.launch.py'))['generate_launch_description']()
    (graph,) = graphs
    for name in enforced:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotSecuredError):
        graph(Options())
    for name, value in enforced.items():
        monkeypatch.setenv(name, value)
    assert all(node.secured for node in graph(Options()).nodes)


def test_the_command_says_what_is_missing(
    enforced: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in enforced:
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(app, ['security', 'check'])
    assert done.exit_code == 1 and 'export ROS_SECURITY_STRATEGY=Enforce' in done.output
    for name, value in enforced.items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(app, ['security', 'check']).exit_code == 0
