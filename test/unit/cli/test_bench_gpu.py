"""``alpamayo bench gpu``: what it asks for, what it says without a GPU, the tiny run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from alpamayo_ros.budget import cpu
from alpamayo_ros.budget.devices import Device
from alpamayo_ros.cli.bench import app
from alpamayo_ros.model.fast import check, check_fp8
from alpamayo_ros.model.fast.speed import Measured, Times
from alpamayo_ros.profile import share_dir
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


def test_a_gpu_without_eight_bits_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: (8, 0))
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda device: 'NVIDIA A100')
    error = run('--json', str(tmp_path / 'a.json'), '--fp8').exception
    assert isinstance(error, MachineError)
    assert '--fp8: fp8 products want a GPU of compute capability 8.9' in str(error)
    assert str(error).endswith('NVIDIA A100 has 8.0; leave it out')


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


def test_windows_want_patches_that_they_divide(tmp_path: Path) -> None:
    found = run('--json', str(tmp_path / 'a.json'), '--windows', '--profiles', 'alpamayo-1.5-10b')
    assert found.exit_code == Status.USAGE
    said = ' '.join(found.output.replace('│', ' ').split())
    assert 'windows of 19 x 20 divide' in said and 'expected one of 1600 x 900 pixels' in said


def test_figures_of_two_members_need_two_names(tmp_path: Path) -> None:
    copy = tmp_path / 'mine.yaml'
    copy.write_text((share_dir() / 'config' / 'profiles' / 'alpamayo-3b.yaml').read_text())
    found = run('--json', str(tmp_path / 'a.json'), '--profiles', f'alpamayo-3b,{copy}')
    assert found.exit_code == Status.USAGE
    assert 'two are called alpamayo-3b' in ' '.join(found.output.replace('│', ' ').split())


def test_a_folder_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    """Names of members may have spaces after their commas."""
    error = run('--json', str(tmp_path), '--profiles', 'alpamayo-3b, alpamayo-7b', '--tiny')
    assert isinstance(error.exception, ConfigError), error.output
    assert f'{tmp_path} is a folder; expected a file to write' in str(error.exception)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A processor that is not measured, once through everything; fp8 by torch, not oneDNN."""
    torch.set_num_threads(1)
    monkeypatch.setattr(cpu, 'measure', lambda: TINY_DEVICE)
    monkeypatch.setattr('alpamayo_ros.model.released.median_time.WARM_UP', 0)
    monkeypatch.setattr(check, 'CYCLES', 1)
    with torch.backends.mkldnn.flags(enabled=False):
        yield


def test_tiny_measures_everything(cheap: None, tmp_path: Path) -> None:
    out = tmp_path / 'new' / 'gpu.json'
    result = run('--tiny', '--fp8', '--json', str(out), '--profiles', 'alpamayo-1.5-10b')
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
    assert list(one['fp8']['stages_ms']) == list(one['stages_ms'])
    assert one['fp8']['words_unwritten'] == one['words_unwritten'] and one['check_fp8']['ok']
    assert 0.01 < one['check_fp8']['states'] < 0.13 and 'fp8: cycle, drafts 16' in result.stdout


@pytest.fixture
def measured(cheap: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, bool]]:
    """Every time is 1 ms; what was asked for: name, rounds of the naive way, fp8."""
    stages = ['token', 'encode', 'prefill', 'denoise', 'drafts 16', 'drafts 32']
    asked: list[tuple[str, int, bool]] = []

    def measure(profile, device, dtype, words, ways, rounds, fp8, tell):
        asked.append((profile.name, rounds.naive, fp8))
        times = Times(dict.fromkeys(stages, 1.0), dict.fromkeys(stages[-2:], 1.0), None, {}, {})
        return Measured(times, 0.1, 9.0 if rounds.naive else None, times if fp8 else None)

    monkeypatch.setattr('alpamayo_ros.model.fast.speed.measure', measure)
    right = check.Agreement(unlike=0, plans_m=0.0, words=30)
    monkeypatch.setattr(check, 'agreement', lambda *args, **more: right)
    return asked


def test_windows_are_members_of_their_own(
    measured: list[tuple[str, int, bool]], tmp_path: Path
) -> None:
    """Behind those without, and without the naive way; a table of both."""
    out = tmp_path / 'a.json'
    result = run('--tiny', '--windows', '--json', str(out), '--profiles', 'alpamayo-3b')
    assert result.exit_code == 0, result.output
    assert measured == [('alpamayo-3b', 1, False), ('alpamayo-3b-windows', 0, False)]
    found = json.loads(out.read_text())['profiles']
    assert list(found) == ['alpamayo-3b', 'alpamayo-3b-windows']
    shares = [one['share_of_roofline']['encode'] for one in found.values()]
    assert shares[1] != shares[0] and 'fp8' not in found['alpamayo-3b']
    assert found['alpamayo-3b-windows']['naive_ms'] is None


def test_fp8_that_is_too_far_off_ends_with_1(
    measured: list[tuple[str, int, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = check_fp8.Distance(product=0.5, features=0.1, states=0.1, plans=0.1, unlike=0)
    monkeypatch.setattr(check_fp8, 'distance', lambda *args: far)
    out = tmp_path / 'a.json'
    result = run('--tiny', '--fp8', '--json', str(out), '--profiles', 'alpamayo-3b')
    assert result.exit_code == Status.FAIL
    assert 'fp8 is further off than eight bits explain, at tiny size: alpamayo-3b' in result.stdout
    assert json.loads(out.read_text())['profiles']['alpamayo-3b']['check_fp8']['product'] == 0.5


def test_other_words_than_the_modules_end_with_1(
    measured: list[tuple[str, int, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are kept, and the sentence names the member."""
    wrong = check.Agreement(unlike=1, plans_m=0.0, words=30)
    monkeypatch.setattr(check, 'agreement', lambda *args, **more: wrong)
    result = run('--tiny', '--json', str(tmp_path / 'a.json'), '--profiles', 'alpamayo-3b')
    assert result.exit_code == Status.FAIL
    assert 'other words or plans than the modules, at tiny size: alpamayo-3b' in result.stdout
    assert (
        json.loads((tmp_path / 'a.json').read_text())['profiles']['alpamayo-3b']['naive_ms'] == 9
    )
