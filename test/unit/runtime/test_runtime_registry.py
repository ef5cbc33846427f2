"""One table of runtimes: every command offers the same, and a missing package is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer

from alpamayo_ros.cli import choices, doctor_software
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.worker_spec import refusal
from alpamayo_ros.parameters.of_nodes import PLANNER
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.scripted import ScriptedRuntime
from alpamayo_ros.simulation.drive import planners
from alpamayo_ros.statuses import Status

PROFILE = load_profile('nano')


@pytest.fixture
def with_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table with one more entry, whose package nobody has."""
    absent = registry.Entry(
        'engine',
        'for this test',
        lambda material: ScriptedRuntime(material.profile),
        package='no_such_package',
        install='pip install no-such-package',
    )
    monkeypatch.setattr(registry, 'RUNTIMES', (*registry.RUNTIMES, absent))


def test_every_command_offers_the_table() -> None:
    (runtime,) = [p for p in PLANNER if p.name == 'runtime']
    engines = ('tensorrt_rtx', 'tensorrt')
    assert registry.NAMES == ('onnx', 'torch', 'torch_cuda', *engines, 'nvidia', 'scripted')
    assert all(name in runtime.text for name in registry.NAMES)
    assert planners.KINDS == (*registry.NAMES, 'expert', 'straight')
    here = [n for n in registry.NAMES if not isinstance(registry.find(n), Fault)]
    assert {'onnx', 'torch', 'scripted'} <= set(here)
    assert [choices.runtime_of(name) for name in here] == here
    with pytest.raises(typer.BadParameter, match='onnx, torch, .*scripted'):
        choices.runtime_of('tensorflow')


@pytest.mark.usefixtures('with_absent')
def test_a_missing_package_is_named_with_what_to_type() -> None:
    fault = open_runtime('engine', PROFILE)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_PROVIDER
    assert 'no_such_package' in fault.message and 'pip install no-such-package' in fault.message
    with pytest.raises(typer.BadParameter, match='pip install no-such-package'):
        choices.runtime_of('engine')


@pytest.mark.usefixtures('with_absent')
def test_doctor_lists_every_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path))
    text = '\n'.join(f.text for f in doctor_software.inference())
    assert 'runtime scripted: ready' in text
    assert 'runtime nvidia: no checkpoint was adopted (optional)' in text
    assert 'runtime engine: needs no_such_package: pip install no-such-package' in text


def test_a_new_entry_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(registry.RUNTIMES[-1], name='double')
    monkeypatch.setattr(registry, 'RUNTIMES', (entry,))
    assert isinstance(open_runtime('double', PROFILE), ScriptedRuntime)
    assert registry.is_test_double('double') and not registry.is_test_double('scripted')


@pytest.mark.parametrize(
    ('code', 'status'),
    [
        (Code.MODEL_GOLDEN, Status.DAMAGED),
        (Code.MODEL_HASH, Status.DAMAGED),
        (Code.MODEL_PROVIDER, Status.USAGE),
    ],
)
def test_a_planner_that_refuses_its_model_says_with_its_status_why(
    code: Code, status: Status
) -> None:
    error = refusal(Fault(code, 'other words'))
    assert error.status == status and 'planner refuses to start' in str(error)


def test_a_blind_planner_is_a_test_double() -> None:
    planner = planners.open_planner('scripted', PROFILE)
    assert not isinstance(planner, Fault) and planner.blind
