"""``alpamayo model adopt``: what it compares, shows, refuses and keeps."""

from __future__ import annotations

import importlib
import json
import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.model import app
from alpamayo_ros.model.released.tensors import tensors
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.nvidia.adoption import Adoption
from alpamayo_ros.runtime.nvidia.child import own

PROFILE = load_profile('nvidia-1.5-10b')


def refuse(*args, **options):
    raise AssertionError(f'a connection was asked for: {args[1:]}')


@pytest.fixture
def folders(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """A checkpoint of one tiny file, whose shapes are taken for those of the profile; a vlm.

    Nothing may open a connection.
    """
    for call in ('connect', 'connect_ex', 'sendto'):
        monkeypatch.setattr(socket.socket, call, refuse, raising=False)
    monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path / 'data'))
    folder, vlm = tmp_path / 'checkpoint', tmp_path / 'vlm'
    for place in (folder, vlm):
        place.mkdir()
        (place / 'config.json').write_text('{}')
    (vlm / 'tokenizer_config.json').write_text('{}')
    (vlm / 'model.safetensors').write_text('never read')
    header = {'a': {'dtype': 'BF16', 'shape': [2], 'data_offsets': [0, 4]}}
    text = json.dumps(header).encode()
    (folder / 'model.safetensors').write_bytes(len(text).to_bytes(8, 'little') + text + b'1234')
    (folder / 'LICENSE').write_text('Terms that somebody has to read.')
    return folder, vlm


def call(folder: Path, vlm: Path, *more: str):
    where = ['--interpreter', sys.executable, '--vlm', str(vlm)]
    return CliRunner().invoke(app, ['adopt', str(folder), *where, *more])


def test_a_record_is_kept_and_nothing_is_written_into_the_folder(folders, tmp_path, monkeypatch):
    folder, vlm = folders
    monkeypatch.setattr(
        'alpamayo_ros.runtime.nvidia.checkpoint.tensors', lambda profile: {'a': (2,)}
    )
    before = sorted(folder.iterdir())
    result = call(folder, vlm, '--words', 'each', '--guidance', '1.5', '--device', 'cpu')
    assert result.exit_code == 0, result.output
    assert 'Terms that somebody has to read.' in result.stdout
    assert '1 tensors, those of the profile; 4 files' in result.stdout
    record = Adoption.model_validate_json(
        (tmp_path / 'data/alpamayo_ros/adopted/nvidia-1.5-10b.json').read_bytes()
    )
    assert record.choices.guidance == 1.5 and record.choices.words == 'each'
    assert record.choices.speed == 'odometry' and record.choices.interpreter == sys.executable
    names = {Path(entry.path).name for entry in record.files}
    assert names == {'config.json', 'model.safetensors', 'tokenizer_config.json'}
    assert sum('vlm' in entry.path for entry in record.files) == 2  # its weights are not read
    assert sorted(folder.iterdir()) == before


def test_own_networks_are_kept_in_the_record(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(
        'alpamayo_ros.runtime.nvidia.checkpoint.tensors', lambda profile: {'a': (2,)}
    )
    place = tmp_path / 'own.json'
    result = call(*folders, '--networks', 'own', '--guidance', '1.5', '--to', str(place))
    assert result.exit_code == 0, result.output
    module, _, name = Adoption.model_validate_json(place.read_bytes()).choices.engine.partition(
        ':'
    )
    assert getattr(importlib.import_module(module), name) is own.load


def test_a_checkpoint_of_something_else_is_refused(folders):
    result = call(*folders)
    assert result.exit_code == 5
    assert f'has {len(tensors(PROFILE))} tensors; 1159 missing' in result.stderr
    assert '1 unknown: a' in result.stderr


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (('--profile', 'nano'), 'nano: the vendor process runs nvidia-1.5-10b'),
        (('--profile', 'nvidia-r1-10b'), 'no other: R1 is another class in another package'),
        (('--words', 'many'), 'there are greedy, sampled, each'),
        (('--speed', 'gps'), 'there are odometry, history'),
        (('--interpreter', '/nowhere'), 'there is no file /nowhere'),
        (('--networks', 'fast'), 'there are vendor, own'),
        (('--networks', 'own', '--words', 'each'), "--words each is for NVIDIA's class"),
        (('--networks', 'own', '--attention', 'eager'), "--attention eager is for NVIDIA's class"),
        (('--networks', 'own', '--source', '.'), "--source is for NVIDIA's class"),
    ],
)
def test_what_cannot_be_run_is_said(folders, more, message):
    result = call(*folders, *more)
    assert result.exit_code == 2 and message in ' '.join(result.output.split())


def test_the_language_models_folder_has_to_be_one(folders, monkeypatch):
    folder, vlm = folders
    monkeypatch.setattr(
        'alpamayo_ros.runtime.nvidia.checkpoint.tensors', lambda profile: {'a': (2,)}
    )
    where = ['adopt', str(folder), '--interpreter', sys.executable]
    alone = CliRunner().invoke(app, where)  # the checkpoint's own folder is looked at
    assert alone.exit_code == 2 and f'{folder} has no tokenizer_config.json' in alone.stderr
    assert 'by --vlm' in alone.stderr
    (vlm / 'tokenizer_config.json').unlink()
    result = call(folder, vlm)
    assert result.exit_code == 2 and f'{vlm} has no tokenizer_config.json' in result.stderr
