"""``alpamayo engine`` where something is lacking: one sentence, its status, nothing half done."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tensorrt_double import write_double_engines
from typer.testing import CliRunner, Result

from alpamayo_ros.cli.main import app
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import ModelFiles, read_model
from alpamayo_ros.runtime.tensorrt import cuda, library
from alpamayo_ros.runtime.tensorrt.engine_files import engine_dir

PROFILE = load_profile('nano')


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache folder of this test's own."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))


def _engine(*words: str) -> Result:
    result = CliRunner().invoke(app, ['engine', *words])
    assert 'Traceback' not in result.output
    return result


@pytest.mark.parametrize('command', ['build', 'check'])
def test_without_the_library_it_says_what_to_install(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine refuses, status 6."""
    monkeypatch.setattr(library, 'find_spec', lambda name: None)
    result = _engine(command)
    assert result.exit_code == 6
    assert 'pip install -r requirements/tensorrt.txt' in result.output


def test_nothing_built_yet() -> None:
    """The command to type."""
    result = _engine('inspect')
    assert result.exit_code == 2
    assert 'alpamayo engine build --profile nano' in result.output


def test_what_was_built_is_shown() -> None:
    """Library, GPU, and the sizes that vary."""
    files = read_model(model_dir(PROFILE))
    assert isinstance(files, ModelFiles)
    write_double_engines(engine_dir('nano'), files, PROFILE)
    result = _engine('inspect')
    assert result.exit_code == 0
    assert 'for compute capability 8.9' in result.output
    assert 'decode.engine ids: (1, 1) .. (1, 158), usually (1, 158)' in result.output


def test_without_a_gpu_nothing_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither compared with itself nor passed over."""
    lacking = Fault(Code.MODEL_PROVIDER, 'no GPU answers (x): install the NVIDIA driver')
    monkeypatch.setattr(cuda, 'no_gpu', lambda: lacking)
    result = _engine('verify')
    assert result.exit_code == 6


def test_another_runtime_has_no_engines() -> None:
    """The two kinds are named."""
    result = _engine('verify', '--runtime', 'onnx')
    assert result.exit_code == 2
    assert 'tensorrt_rtx, tensorrt' in result.output


@pytest.mark.parametrize('target', ['9.0', '8.7', '8,9'])
def test_a_gpu_that_cannot_be_built_for_gets_no_nearest_number(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine for 8.0 serves no 9.0, so that no number is like another."""
    there = SimpleNamespace(ComputeCapability=SimpleNamespace(SM80=0, SM89=1))
    found = library.Library('tensorrt_rtx', there)
    monkeypatch.setattr(library, 'open_library', lambda kind: found)
    result = _engine('build', '--target', target)
    assert result.exit_code == 2 and 'did you mean' not in result.output
    said = ' '.join(result.output.split())
    assert f"--target '{target}': tensorrt_rtx builds for 8.0, 8.9, and" in said
    assert 'an H100 (9.0) for example' in said and '--runtime tensorrt' in said
