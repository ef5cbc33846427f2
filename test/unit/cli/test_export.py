"""``alpamayo export`` takes a bare weights file: vocabulary, training note, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip('torch')
from safetensors.torch import save_file  # noqa: E402

from alpamayo_ros.cli.main import app  # noqa: E402
from alpamayo_ros.export import model_folder  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.runtime.loader import model_dir  # noqa: E402

PROFILE = load_profile('nano')


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every call of the exporter, which writes nothing here; the parity tests run the real one."""
    calls: list[Any] = []

    def record(model, folder, version, release, training, progress):
        calls.append((model, folder, release, dict(training)))
        return SimpleNamespace(files=[])

    monkeypatch.setattr(model_folder, 'export_model', record)
    return calls


def test_a_weights_file_gets_the_vocabulary_of_the_profile(tmp_path: Path, exported: list[Any]):
    weights, out = tmp_path / 'mine.safetensors', tmp_path / 'out'
    half = {
        name: value.half() if value.dim() >= 2 else value
        for name, value in VLA(PROFILE).state_dict().items()
    }
    save_file({name: value.contiguous() for name, value in half.items()}, weights)
    weights.with_suffix('.json').write_text(json.dumps({'steps': 7, 'data': {'rows': 3}}))
    done = CliRunner().invoke(app, ['export', str(weights), '--to', str(out)])
    assert done.exit_code == 0, done.output
    ((model, folder, release, training),) = exported
    assert (folder, release, training) == (out, 1, {'steps': 7, 'data': '{"rows": 3}'})
    assert torch.equal(
        model.state_dict()['backbone.embed.weight'].half(), half['backbone.embed.weight']
    )
    for name in ('tokenizer.json', 'grammar.json'):
        assert (out / name).read_text() == (model_dir(PROFILE) / name).read_text()


def test_weights_of_another_shape_are_refused_and_nothing_is_written(
    tmp_path: Path, exported: list[Any]
):
    weights, out = tmp_path / 'other.safetensors', tmp_path / 'out'
    state = {n: v.clone().contiguous() for n, v in VLA(PROFILE).state_dict().items()}
    state['backbone.embed.weight'] = state['backbone.embed.weight'][:3].contiguous()
    save_file(state, weights)
    done = CliRunner().invoke(app, ['export', str(weights), '--to', str(out)])
    assert done.exit_code == 2
    assert 'does not fit the profile nano' in done.output
    assert 'backbone.embed.weight' in done.output
    assert exported == []
    assert not out.exists()


def test_a_run_without_weights_says_what_would_write_them(tmp_path: Path, exported: list[Any]):
    done = CliRunner().invoke(app, ['export', str(tmp_path), '--to', str(tmp_path / 'out')])
    assert done.exit_code == 2
    assert 'model.safetensors' in done.output and 'alpamayo train run' in done.output
    assert exported == []
