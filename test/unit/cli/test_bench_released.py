"""``alpamayo bench released``: what it asks for, what it says without a GPU, the tiny run."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from alpamayo_ros.cli.bench import app
from alpamayo_ros.statuses import ConfigError, MachineError, Status


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
