"""``alpamayo model show``: the architecture of a profile in figures, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.cli.model import app
from alpamayo_ros.profile import load_profile

SEVEN = load_profile('alpamayo-7b')


def show(*words: str, width: int = 120) -> str:
    done = CliRunner(env={'COLUMNS': str(width)}).invoke(app, ['show', *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_json_adds_up_and_follows_the_precision() -> None:
    found = json.loads(show('alpamayo-7b', '--json'))
    assert found['parameters'] == sum(part['parameters'] for part in found['parts'])
    for part in found['parts']:
        assert part['bf16_bytes'] == 2 * part['fp8_bytes'] == 2 * part['parameters']
    b = SEVEN.backbone
    head = b.width // b.heads
    cache = found['kv_cache_bytes_a_token']
    assert cache['bf16'] == b.layers * 2 * b.kv_heads * head * 2 == 57_344
    assert found['tokens'] == sum(found['sequence'].values()) <= found['context'] == 32_768
    assert found['sequence']['visual'] == SEVEN.visual_tokens == 6 * 64


@pytest.mark.parametrize('width', [80, 140])
def test_the_table_has_every_part_and_the_sum(width: int) -> None:
    text = show('alpamayo-1.5-10b', width=width)
    for part in ('vision', 'fusion', 'inputs', 'backbone', 'denoiser', 'all'):
        assert f'│ {part}' in text
    assert '8,190,735,360' in text and '11,178,788,687' in text and '22.36 GB' in text
    assert '4,914 tokens at most, of 32,768 positions' in text
    assert 'No weights of this profile ship' in text


def test_a_profile_that_ships_shows_its_files_too(repository: Path) -> None:
    text = show()
    assert '5,442,611' in text and 'weights.safetensors' in text
    files = show(str(repository / 'models' / 'nano'))
    assert 'weights.safetensors' in files and '5,442,611' not in files


def test_a_changed_copy_of_a_profile_is_told_to_take_another_name(tmp_path: Path) -> None:
    data = load_profile('nano').model_dump(mode='json')
    data['candidates'] += 1
    (tmp_path / 'mine.yaml').write_text(yaml.safe_dump(data))
    done = CliRunner(env={'COLUMNS': '300'}).invoke(app, ['show', str(tmp_path / 'mine.yaml')])
    assert done.exit_code == 5
    assert "another profile named 'nano', of other contents" in done.output
    assert 'give a changed profile a name of its own' in done.output
    (tmp_path / 'mine.yaml').write_text(yaml.safe_dump({**data, 'name': 'mine'}))
    assert 'No weights of this profile ship' in show(str(tmp_path / 'mine.yaml'))


def test_tiny_keeps_the_architecture() -> None:
    found = json.loads(show('alpamayo-0.5b', '--json', '--tiny'))
    assert found['parameters'] < 2_000_000
    assert list(found['sequence']) == list(json.loads(show('alpamayo-0.5b', '--json'))['sequence'])
    assert 'U-Net 16/32/64' in next(p['layers'] for p in found['parts'] if p['name'] == 'denoiser')


def test_a_folder_has_no_architecture(repository: Path) -> None:
    folder = str(repository / 'models' / 'nano')
    done = CliRunner().invoke(app, ['show', folder, '--json'])
    assert done.exit_code == 2 and 'is the folder of a model' in done.output


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'pool': [7, 7]}, 'a pool of (7, 7) makes 49 tokens'),
        ({'layers': 0}, 'vision.layers: input should be greater than 0, got 0'),
        (None, 'mine.yaml:1: no valid YAML'),
    ],
)
def test_a_wrong_profile_is_one_sentence(change: dict | None, said: str, tmp_path: Path) -> None:
    data = SEVEN.model_dump(mode='json')
    data['vision'] |= change or {}
    text = yaml.safe_dump(data) if change else '{"name": [}'
    (tmp_path / 'mine.yaml').write_text(text)
    done = CliRunner(env={'COLUMNS': '300'}).invoke(app, ['show', str(tmp_path / 'mine.yaml')])
    assert done.exit_code == 2 and said in done.output and 'Traceback' not in done.output


@pytest.mark.parametrize('name', ['../../x', '.x', '', 'a b', 'nano\n'])
def test_a_profile_has_a_plain_name(name: str, tmp_path: Path) -> None:
    data = {'description': 'first', **SEVEN.model_dump(mode='json'), 'name': name}
    (tmp_path / 'mine.yaml').write_text(yaml.safe_dump(data, sort_keys=False))
    done = CliRunner(env={'COLUMNS': '300'}).invoke(app, ['show', str(tmp_path / 'mine.yaml')])
    assert done.exit_code == 2
    assert f'mine.yaml:2: name: {name!r} is no plain name; expected' in done.output
