"""``alpamayo bench gpu``: what it asks for, what it says without a GPU, the tiny run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from typer.testing import CliRunner

from alpamayo_ros.budget import cpu
from alpamayo_ros.budget.devices import Device
from alpamayo_ros.cli.bench import app
from alpamayo_ros.model.fast import check
from alpamayo_ros.statuses import ConfigError, MachineError, Status

TINY_DEVICE = Device('cpu', 'made up', {'fp32': 0.05}, 20.0, 8.0, 'none')


def run(*words: str):
    return CliRunner().invoke(app, ['gpu', *words])


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    error = run('--json', str(tmp_path / 'a.json')).exception
    assert isinstance(error, MachineError) and error.status is Status.ENVIRONMENT
    assert 'no GPU that torch can use' in str(error) and '--tiny' in str(error)
    assert not list(tmp_path.iterdir())


def test_a_member_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'mem_get_info', lambda: (7_000_000_000, 8_500_000_000))
    error = run('--json', str(tmp_path / 'a.json')).exception
    assert isinstance(error, MachineError)
    assert 'alpamayo-3b wants 8 GB of GPU memory, 7 are free' in str(error)


@pytest.mark.parametrize(
    ('profiles', 'message'),
    [
        ('nano', "nano has vision.trunk 'queries'"),
        ('alpamayo-8b', 'alpamayo-8b'),
        ('nvidia-1.5-10b', 'is a released model'),
        (',', 'names none'),
    ],
)
def test_only_members_of_the_family(profiles: str, message: str, tmp_path: Path) -> None:
    found = run('--json', str(tmp_path / 'a.json'), '--profiles', profiles)
    assert found.exit_code == Status.USAGE
    assert message in ' '.join(found.output.replace('│', ' ').split())


def test_a_folder_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    """Names of members may have spaces after their commas."""
    error = run('--json', str(tmp_path), '--profiles', 'alpamayo-3b, alpamayo-7b', '--tiny')
    assert isinstance(error.exception, ConfigError), error.output
    assert f'{tmp_path} is a folder; expected a file to write' in str(error.exception)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that is not measured, once through everything."""
    torch.set_num_threads(1)
    monkeypatch.setattr(cpu, 'measure', lambda: TINY_DEVICE)
    monkeypatch.setattr('alpamayo_ros.model.released.median_time.WARM_UP', 0)
    monkeypatch.setattr(check, 'CYCLES', 1)


def test_tiny_measures_everything(cheap: None, tmp_path: Path) -> None:
    out = tmp_path / 'new' / 'gpu.json'
    result = run('--tiny', '--json', str(out), '--profiles', 'alpamayo-1.5-10b')
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert (found['shapes'], found['precision'], found['words']) == ('tiny', 'fp32', 10)
    one = found['profiles']['alpamayo-1.5-10b']
    drafted = ['drafts 16', 'drafts 32']
    assert list(one['stages_ms']) == ['encode', 'prefill', 'token', *drafted, 'denoise']
    for kind in ('stages_ms', 'share_of_roofline', 'times_as_fast'):
        assert all(value > 0 for value in one[kind].values()), kind
    assert one['naive_ms'] / one['cycle_ms']['drafts 16'] == one['times_as_fast']['drafts 16']
    assert one['words_unlike_plain'] == one['words_unwritten'] == dict.fromkeys(drafted, 0)
    assert one['check']['ok'] and one['check']['plans_m'] < 1e-4 and one['memory_gb'] is None
    assert 'cycle, drafts 16' in result.stdout and 'times as fast' in result.stdout


def test_other_words_than_the_modules_end_with_1(
    cheap: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are kept, and the sentence names the member."""
    wrong = check.Agreement(unlike=1, plans_m=0.0, words=30)
    monkeypatch.setattr(check, 'agreement', lambda *args, **more: wrong)
    times = SimpleNamespace(
        stages={'token': 1.0, 'encode': 1.0, 'prefill': 1.0, 'denoise': 1.0,
                'drafts 16': 1.0, 'drafts 32': 1.0},
        cycles={'drafts 16': 1.0, 'drafts 32': 1.0},
        naive_ms=9.0, upload_ms=0.1, memory_gb=None, words_unlike_plain={}, unwritten={},
    )  # fmt: skip
    monkeypatch.setattr('alpamayo_ros.model.fast.speed.measure', lambda *args: times)
    result = run('--tiny', '--json', str(tmp_path / 'a.json'), '--profiles', 'alpamayo-3b')
    assert result.exit_code == Status.FAIL
    assert 'other words or plans than the modules, at tiny size: alpamayo-3b' in result.stdout
    assert (
        json.loads((tmp_path / 'a.json').read_text())['profiles']['alpamayo-3b']['naive_ms'] == 9
    )
