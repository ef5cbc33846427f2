"""``alpamayo model try``: an architecture on made-up numbers, and what makes it fail."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.cli.model import app
from alpamayo_ros.cli.models.trying import findings
from alpamayo_ros.model.trial import Trial

GOOD = Trial(1000, 8.0, 1.0, (), True, 0.5, {'cameras': 0.2}, 0.05)


INPUTS = {'nano': ('cameras',), 'alpamayo-1.5-10b': ('cameras', 'history', 'map', 'prior')}


@pytest.mark.parametrize('name', INPUTS)
def test_a_member_passes(name: str) -> None:
    done = CliRunner().invoke(app, ['try', name, '--steps', '25'])
    assert done.exit_code == 0, done.output
    assert 'FAIL' not in done.stdout and 'every weight had a gradient' in done.stdout
    for lost in INPUTS[name]:
        assert f'without {lost} the last hidden state moves' in done.stdout


def test_good_is_good() -> None:
    assert all(good for good, _ in findings(GOOD, 20))


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'last_loss': 7.9}, 'loss 8.00 -> 7.90'),
        ({'last_loss': math.nan}, 'loss 8.00 -> nan'),
        ({'unreached': ('map.slot',)}, 'never reached: map.slot'),
        ({'finite': False}, 'not finite'),
        ({'bfloat16': math.nan}, 'bfloat16'),
        ({'differences': {'map': 0.0}}, 'without map'),
        ({'differences': {'map': math.nan}}, 'without map'),
    ],
)
def test_each_finding_can_fail(change: dict, said: str) -> None:
    bad = [text for good, text in findings(replace(GOOD, **change), 20) if not good]
    assert len(bad) == 1 and said in bad[0]
