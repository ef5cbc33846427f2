"""``alpamayo export``: bare weights files, what it refuses, and that no model is half replaced."""

from __future__ import annotations

import errno
import json
import os
import shutil
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
from alpamayo_ros.profile import load_profile, share_dir  # noqa: E402
from alpamayo_ros.runtime.loader import model_dir  # noqa: E402

PROFILE = load_profile('nano')
SHIPPED = model_dir(PROFILE) / 'weights.safetensors'


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every call of the exporter, which writes nothing here; the parity tests run the real one."""
    calls: list[Any] = []

    def record(model, folder, version, release, training, progress):
        calls.append((model, folder, release, dict(training)))
        progress('encoder.onnx')
        (folder / 'encoder.onnx').write_text('new')
        return SimpleNamespace(files=[], release=release)

    monkeypatch.setattr(model_folder, 'export_model', record)
    return calls


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with things of the user's own beside it."""
    folder = tmp_path / 'mine'
    folder.mkdir()
    manifest = json.loads((model_dir(PROFILE) / 'manifest.json').read_text())
    (folder / 'manifest.json').write_text(json.dumps({**manifest, 'release': 3}))
    for name in ('encoder.onnx', 'card.md', 'manifest.sig', 'notes.txt'):
        (folder / name).write_text('old')
    (folder / 'runs').mkdir()
    (folder / 'runs' / 'a.txt').write_text('old')
    return folder


def contents(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def export(*words: object) -> Any:
    return CliRunner().invoke(app, ['export', *map(str, words)], prog_name='alpamayo')


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
    ((model, _, release, training),) = exported
    assert (release, training) == (1, {'steps': 7, 'data': '{"rows": 3}'})
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
    for name in [name for name in state if name.startswith('dit.')]:
        del state[name]
    absent = len(VLA(PROFILE).state_dict()) - len(state)
    save_file(state, weights)
    done = CliRunner().invoke(app, ['export', str(weights), '--to', str(out)])
    assert done.exit_code == 2
    assert 'does not fit the profile nano' in done.output
    assert 'backbone.embed.weight has the shape [3, 192], expected [896, 192]' in done.output
    assert f'(and {absent} more); --profile names' in done.output
    assert len(done.output.splitlines()) == 1
    assert exported == []
    assert not out.exists()


def test_a_run_without_weights_says_what_would_write_them(tmp_path: Path, exported: list[Any]):
    done = CliRunner().invoke(app, ['export', str(tmp_path), '--to', str(tmp_path / 'out')])
    assert done.exit_code == 2
    assert 'model.safetensors' in done.output and 'alpamayo train run' in done.output
    assert exported == []


def test_a_folder_of_weights_is_told_which_option_and_profile(
    tmp_path: Path, exported: list[Any]
) -> None:
    words = tmp_path / 'words'
    shutil.copytree(SHIPPED.parent, words)
    shutil.copy(share_dir() / 'config' / 'profiles' / 'nano.yaml', words / 'profile.yaml')
    done = export(words, '--to', words / 'out')
    assert done.exit_code == 2
    said = f'--weights weights.safetensors --profile {words}/profile.yaml'
    assert said in done.output and 'train run' not in done.output
    assert exported == [] and not (words / 'out').exists()


def test_a_model_by_default_is_not_replaced(exported: list[Any]):
    done = export(SHIPPED)
    assert done.exit_code == 2
    assert f'{SHIPPED.parent} holds a model' in done.output and '--to' in done.output
    assert exported == []


def test_a_replaced_model_keeps_its_card_and_what_is_the_user_s(
    model: Path, exported: list[Any]
) -> None:
    done = export(SHIPPED, '--to', model)
    assert done.exit_code == 0, done.output
    ((_, folder, release, _),) = exported
    assert release == 4 and folder != model
    found = contents(model)
    assert found['encoder.onnx'] == 'new' and 'manifest.sig' not in found
    assert [found[name] for name in ('card.md', 'notes.txt', 'runs/a.txt')] == ['old'] * 3
    assert [path.name for path in model.parent.iterdir()] == ['mine']


@pytest.mark.parametrize(
    ('end', 'status', 'said'),
    [
        (KeyboardInterrupt(), 130, 'interrupted; {0} is as it was'),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
            6,
            'alpamayo: {0}: no space left on device; {0} is as it was',
        ),
    ],
)
def test_what_is_stopped_halfway_leaves_the_old_model(
    end: BaseException, status: int, said: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halfway(_: Any, folder: Path, *rest: Any) -> None:
        (folder / 'encoder.onnx').write_text('ne')
        raise end

    monkeypatch.setattr(model_folder, 'export_model', halfway)
    before = contents(model)
    done = export(SHIPPED, '--to', model)
    assert done.exit_code == status
    assert said.format(model) in done.stderr.splitlines()
    assert contents(model) == before
    assert [path.name for path in model.parent.iterdir()] == ['mine']


@pytest.mark.parametrize('text', ['{', '[]', '{}', '"x"'])
def test_a_manifest_that_is_none_is_named(text: str, model: Path, exported: list[Any]) -> None:
    (model / 'manifest.json').write_text(text)
    done = export(SHIPPED, '--to', model)
    assert done.exit_code == 2
    assert f'{model}/manifest.json: ' in done.output and 'another folder' in done.output
    assert exported == []


@pytest.mark.parametrize(
    ('data', 'got'), [(b'{', 'no valid JSON'), (b'[]', 'list'), (b'\xff', '')]
)
def test_a_note_that_is_none_is_named(
    data: bytes, got: str, tmp_path: Path, exported: list[Any]
) -> None:
    weights = tmp_path / 'mine.safetensors'
    weights.symlink_to(SHIPPED)
    weights.with_suffix('.json').write_bytes(data)
    done = export(weights, '--to', tmp_path / 'out')
    assert done.exit_code == 2
    assert f'alpamayo: {tmp_path}/mine.json: expected a JSON object' in done.output
    assert got in done.output and exported == []


def test_a_file_that_holds_no_tensors_is_named(tmp_path: Path, exported: list[Any]) -> None:
    (tmp_path / 'a.safetensors').write_text('no')
    done = export(tmp_path / 'a.safetensors', '--to', tmp_path / 'out')
    assert done.exit_code == 2 and 'a.safetensors is no file of safetensors' in done.output
    assert not (tmp_path / 'out').exists()
