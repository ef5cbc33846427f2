"""``alpamayo train status`` of a stream: how far it is, what it learnt, what it drove."""

import gzip
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.cli import main
from alpamayo_ros.cli.train import app

DRIVES = [
    {'time': 2.0, 'family': 'signal', 'policy': True, 'scene_score': 1.0},
    {'time': 1.0, 'family': 'signal', 'policy': True, 'scene_score': 0.4},
    {'time': 3.0, 'family': 'fog', 'policy': True, 'scene_score': 1.0},
    {'time': 4.0, 'family': 'fog', 'policy': False, 'scene_score': 0.0},
    {'time': 5.0, 'family': 'rain', 'unbuilt': 'no road'},
]  # fmt: skip


def begun(root: Path) -> Path:
    """The folder of a stream that has collected nothing yet."""
    folder = root / 'rank_0'
    folder.mkdir(parents=True)
    (root / 'tokenizer.json').write_text('{}')
    (folder / 'settings.json').write_text('{"seconds": 600}')
    return folder


def said(root: Path, *words: str, status: int = 0) -> str:
    """What the command prints, cells apart by one space."""
    done = CliRunner().invoke(app, ['status', '--root', str(root), *words], env={'COLUMNS': '200'})
    assert done.exit_code == status, done.output
    return ' '.join(done.output.replace('│', ' ').split())


def lines(rows: list[dict[str, object]]) -> str:
    return ''.join(json.dumps(row) + '\n' for row in rows)


def test_a_stream_that_collects_says_so(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (folder / 'drives_0.jsonl').write_text(lines(DRIVES[3:]))
    (tmp_path / 'rank_0.pid').write_text(str(os.getpid()))
    page = said(tmp_path)
    assert f'{tmp_path}: process {os.getpid()} trains here' in page
    assert '1 drive; the first lines of the curve come' in page and 'policy' not in page


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('settings.json', '{"sec'),
        ('settings.json', '{}'),
        ('curve.jsonl', '{"used_s": 1}\n\0\0\n'),
        ('curve.jsonl', '{"used_s": 1}\n'),
        ('curve.jsonl', '3\n'),
        ('drives_0.jsonl', 'x\n'),
        ('drives_0.jsonl', '{"time": 1.0, "family": "fog", "policy": true}\n'),
        ('drives_0.jsonl', '{"family": "fog", "unbuilt": "no road"}\n'),
    ],
)
def test_a_damaged_file_of_a_stream_is_named(tmp_path: Path, name: str, text: str) -> None:
    file = begun(tmp_path) / name
    file.write_text(text)
    done = CliRunner().invoke(main.app, ['train', 'status', '--root', str(tmp_path)])
    assert done.exit_code == 2 and f'{file} is damaged: ' in done.stderr


@pytest.mark.parametrize('came_back', [False, True])
def test_curve_and_drives_of_a_stream_are_summed_up(tmp_path: Path, came_back: bool) -> None:
    folder = begun(tmp_path)
    curve = [
        {'used_s': 10.0 * k, 'step': k, 'samples': 8 * k, 'plan': float(k), 'refused': 0}
        for k in range(1, 21)
    ]
    (folder / 'curve.jsonl').write_text(lines([*curve, {'exams': 0, **curve[-1]}]) + '{"used_')
    if came_back:
        packed = gzip.compress(lines(DRIVES).encode())
        (folder / 'drives.jsonl.gz').write_bytes(packed)
    else:
        (folder / 'drives_0.jsonl').write_text(lines(DRIVES[:2]))
        (folder / 'drives_1.jsonl').write_text(lines(DRIVES[2:]))
    (tmp_path / 'rank_0.pid').write_text('0')  # of a process that was killed
    page = said(tmp_path)
    assert (
        'stopped; the same command goes on 200 of 600 s, 20 steps, 160 samples, 4 drives' in page
    )
    assert 'plan 3 18.8' in page and 'refused' not in page
    assert 'signal 2 0.50 1.00' in page and 'fog 1 1.00 1.00' in page
    assert 'all 3 0.67 1.00' in page and 'rain' not in page
    (tmp_path / 'stream.done').write_text('{}')
    assert f'{tmp_path}: done' in said(tmp_path)


def test_a_stream_stopped_before_its_first_step_has_learnt_nothing(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (folder / 'curve.jsonl').write_text(lines([{'used_s': 9.0, 'step': 0, 'samples': 80}]))
    page = said(tmp_path)
    assert '9 of 600 s, 0 steps, 80 samples' in page and 'of the curve' not in page


def test_a_stream_knows_its_own_recipe(tmp_path: Path) -> None:
    begun(tmp_path)
    page = said(tmp_path, '--recipe', 'nano', status=2)
    assert f'--recipe nano: {tmp_path} is a stream' in page.replace('\u2502', '')
