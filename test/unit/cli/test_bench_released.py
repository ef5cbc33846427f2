"""``alpamayo bench released``: what it asks for, what it says without a GPU, the tiny run."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from alpamayo_ros.cli.bench import app
from alpamayo_ros.cli.measuring import released_beside
from alpamayo_ros.profile import load_profile
from alpamayo_ros.statuses import ConfigError, MachineError, Status

SUPPORT = Path(__file__).resolve().parents[2] / 'support/released'
OURS = {'shapes': 'tiny', 'candidates': 2, 'cycle_ms': 1e5, 'cycle_drafted_ms': 5e4}


def run(*words):
    return CliRunner().invoke(app, ['released', *words])


def test_without_a_gpu_it_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    error = run('--random-weights').exception
    assert isinstance(error, MachineError) and error.status is Status.ENVIRONMENT
    assert 'no GPU that torch can use' in str(error) and '--tiny' in str(error)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ((), 'which weights'),
        (('--weights', '/no/such'), 'no folder /no/such'),
        (('--weights', '.', '--random-weights'), 'not both'),
        (('--weights', '.', '--tiny'), 'leave --weights out'),
        (('--tiny', '--vlm', '.'), 'add --interpreter'),
        (('--tiny', '--attention', 'eager'), 'add --interpreter'),
        (('--tiny', '--interpreter', '/no/python'), 'no interpreter /no/python'),
        (('--tiny', '--interpreter', sys.executable), 'wants --vlm FOLDER, with config.json'),
        (('--tiny', '--interpreter', sys.executable, '--vlm', '/no'), 'wants --vlm FOLDER'),
    ],
)
def test_what_it_needs_is_said(words, message):
    error = run(*words).exception
    assert isinstance(error, ConfigError) and message in str(error)


@pytest.mark.slow
def test_tiny_times_every_stage():
    torch.set_num_threads(1)
    found = json.loads(run('--tiny', '--json', '--candidates', '2').stdout)
    assert found['shapes'] == 'tiny' and found['weights'] == 'random'
    times = {key: value for key, value in found.items() if key.endswith('_ms')}
    assert set(times) == {
        'tower_ms', 'word_ms', 'draft_ms', 'expert_step_ms', 'prompt_ms', 'cycle_ms',
        'cycle_drafted_ms',
    }  # fmt: skip
    assert all(value > 0 for value in times.values())


@pytest.fixture
def other(tmp_path, monkeypatch):
    """An installation whose class is the stand-in."""
    monkeypatch.setattr(released_beside, 'DRAWN', 'nvidia_double:load')
    (tmp_path / 'config.json').write_text('{}')
    python = Path(sys.executable)
    return released_beside.Beside(python, tmp_path, (SUPPORT,), 'sdpa')


def test_the_vendors_call_is_timed_in_its_process(other):
    found = released_beside.beside(other, load_profile('nvidia-1.5-10b'), OURS, None, 3)
    assert found['vendor'].startswith('double, Python 3.')
    assert (found['vendor_call_ms'], found['vendor_cycle_ms']) == (2e6, 3e3)
    assert (found['times_as_fast'], found['times_as_fast_drafted']) == (20.0, 40.0)


def test_a_call_that_fails_is_a_sentence(other):
    with pytest.raises(MachineError, match="NVIDIA's call failed: MemoryError: CUDA out of mem"):
        released_beside.beside(other, load_profile('nvidia-1.5-10b'), OURS, None, 13)
    nothing = replace(other, source=())
    with pytest.raises(MachineError, match="not loaded by nvidia_double:load: .*'nvidia_double'"):
        released_beside.beside(nothing, load_profile('nvidia-1.5-10b'), OURS, None, 3)


def test_the_vendors_process_is_told_the_same_shapes(other, tmp_path):
    """Real shapes with random weights, the checkpoint's, and tiny ones on the CPU."""
    profile = load_profile('nvidia-1.5-10b')
    real = released_beside._settings(other, profile, {**OURS, 'shapes': profile.name}, None)
    assert (real.device, real.dtype, real.candidates, real.max_words) == (
        'cuda',
        'bfloat16',
        2,
        20,
    )
    assert (real.height, real.width, real.sizes['language']['layers']) == (320, 576, 36)
    weights = {**OURS, 'shapes': profile.name}
    loaded = released_beside._settings(other, profile, weights, tmp_path)
    assert loaded.engine.endswith('child.load:load') and loaded.folder == str(tmp_path)
    tiny = released_beside._settings(other, profile, OURS, None)
    assert (tiny.device, tiny.height, tiny.width, tiny.tokens) == ('cpu', 96, 128, 12)
