"""``alpamayo bench --json``: what is compared gives the same output, and the record is whole."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip('transformers')
pytest.importorskip('diffusers')

from alpamayo_ros.cli.bench import app
from alpamayo_ros.cli.measuring.cycle.bars import bars, same
from alpamayo_ros.cli.measuring.cycle.timing import take_turns

KEYS = {
    'cycle_cpu_ms', 'cycle_vs_naive', 'decode_vs_transformers', 'passes_per_cycle',
    'ddim_vs_diffusers', 'gemm_share', 'sync_us_per_set', 'postprocess_cpu_ms', 'ablation',
}  # fmt: skip


@pytest.fixture(scope='module')
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of a short run; its times are nobody's promise."""
    out = tmp_path_factory.mktemp('bench') / 'bench.json'
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'bench', '--json', str(out)]
    more = ['--quick', '--scenario', 'winding_road']
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=900)
    assert out.exists(), done.stderr
    record: dict[str, Any] = json.loads(out.read_text())
    assert done.returncode == (0 if record['ok'] else 1)
    return record


def test_all_figures_are_there(found: dict[str, Any]) -> None:
    assert set(found) >= KEYS
    assert set(found['gemm_share']) >= {'encoder', 'denoiser'}
    assert found['drive'] == {'scenario': 'winding_road', 'seed': 100, 'cycles': 24}
    assert re.fullmatch(r'[0-9a-f]{64}', found['model']['manifest_sha256'])
    assert found['machine']['processors'] >= 1


def test_every_way_gives_the_same_words_and_waypoints(found: dict[str, Any]) -> None:
    assert same(found) == []
    assert found['decode']['tokens'] > 10
    assert found['passes_per_cycle'] < found['tokens_per_cycle']


def test_a_difference_is_named(found: dict[str, Any]) -> None:
    other = copy.deepcopy(found)
    other['ablation']['draft']['same_output'] = False
    other['decode']['same_tokens'] -= 1
    other['ddim']['waypoints_apart'] = 2e-4
    assert same(other) == ['draft', 'transformers: 1 other texts', 'diffusers: 2.0e-04 apart']


def test_bars_on_either_side(found: dict[str, Any]) -> None:
    names = {bar.name for bar in bars(found)}
    assert names >= KEYS - {'gemm_share', 'ablation'}
    fast = copy.deepcopy(found) | {'cycle_cpu_ms': 59.9, 'cycle_vs_naive': 2.39}
    verdict = {bar.name: bar.ok for bar in bars(fast)}
    assert (verdict['cycle_cpu_ms'], verdict['cycle_vs_naive']) == (True, False)


def test_calls_take_turns_and_keep_their_order() -> None:
    seen: list[str] = []
    calls = {name: (lambda item, name=name: seen.append(f'{name}{item}')) for name in 'ab'}
    spent = take_turns([1, 2, 3], calls)
    assert seen == ['a1', 'b1', 'b2', 'a2', 'a3', 'b3']
    assert all(len(one.cpu_ms) == len(one.wall_ms) == 3 for one in spent.values())


def test_json_before_a_stage_is_refused() -> None:
    done = CliRunner().invoke(app, ['--json', 'x.json', 'sync'])
    assert done.exit_code == 2
    assert 'put it behind' in done.output
