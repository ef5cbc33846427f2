"""A shard is whole or named as damaged, and its figures are those of its samples."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import numpy as np
from typer.testing import CliRunner

from alpamayo_ros.cli import main
from alpamayo_ros.cli.data import app
from alpamayo_ros.training.dataset import ShardWriter
from alpamayo_ros.training.shards.integrity import damage
from alpamayo_ros.training.shards.stats import find, stats
from alpamayo_ros.training.truth import COLUMN, NAMES, SEEN


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Ten samples at 6 m/s: two stand and wait, three brake, one has a leader at 8 m."""
    writer, folder = ShardWriter(), tmp_path / 'data' / 'expert-0'
    for k in range(10):
        speed = 0.0 if k < 2 else 6.0
        stride = 0.0 if k < 2 else 0.2 if k < 5 else 0.6
        plan = np.zeros((60, 3), np.float32)
        plan[:, 0] = stride * np.arange(1, 61)
        truth = np.zeros(len(NAMES), np.float32)
        if k == 9:
            truth[[SEEN, COLUMN['leader_gap']]] = 1, 8.0
        frame = writer.add_frame(np.full((1, 2, 2, 3), k, np.uint8))
        writer.rows.append({
            'frames': np.array([frame]), 'age_s': np.zeros(1), 'past': np.ones(1), 'truth': truth,
            'plan': plan, 'speed': np.float32(speed), 'coc': np.arange(1, 2 + k % 3),
            'prefix': np.array([1, 2], np.int16), 'seed': np.int64(10000 + k // 5),
        })  # fmt: skip
    writer.write(folder, {'by': 'expert'})
    return folder


def test_a_written_shard_is_whole_and_counted(shard: Path) -> None:
    assert damage(shard) == '' and find([shard.parents[1]]) == [shard]
    said = stats([shard], 0.1)
    assert (said['samples'], said['timesteps'], said['worlds'], said['chains']) == (10, 10, 2, 3)
    assert said['shards_by_expert'] == 1 and said['not_finite'] == 0 and not said['damaged']
    share = said['share']
    assert (share['standing'], share['braking'], share['starting']) == (0.2, 0.3, 0.0)
    assert share['leader_near'] == 0.1 and said['speed_mean_mps'] == 4.8


def test_clips_of_several_shards_and_what_nobody_knows_are_counted_as_such(
    shard: Path, tmp_path: Path
) -> None:
    """Two shards of two clips, without words and truth but for two samples of one."""
    folders = [tmp_path / 'data' / f'clips-{k}' for k in range(2)]
    for number, folder in enumerate(folders):
        writer, rows = ShardWriter(), dict(np.load(shard / 'samples.npz'))  # noqa: TID251
        for k in range(10):
            row = {name: value[k] for name, value in rows.items()}
            row |= {'coc': np.zeros(1, np.int16), 'seed': np.int64(k // 5)}
            known = number == 0 and k > 7
            row['truth'] = row['truth'] if known else np.full(len(NAMES), np.nan)
            writer.add_frame(np.zeros((1, 2, 2, 3), np.uint8))
            writer.rows.append(row)
        writer.write(folder, {'by': 'clips'})
    said = stats(folders, 0.1)
    assert (said['worlds'], said['chains'], said['truth_unknown']) == (4, 0, 18)
    assert said['share']['leader'] == 0.5 and said['share']['standing'] == 0.2
    assert not {'leader', 'leader_near', 'off_centre'} & stats(folders[1:], 0.1)['share'].keys()
    assert stats([shard, *folders], 0.1)['worlds'] == 6


@pytest.mark.parametrize(
    ('file', 'change', 'words'),
    [
        ('frames.npy', lambda b: b[:-1], 'bytes, expected'),
        ('samples.npz', lambda b: b[:-40] + bytes([b[-40] ^ 1]) + b[-39:], 'not what was written'),
        ('meta.json', lambda b: b[:20], 'cannot be read'),
        ('meta.json', lambda b: b'[' + b + b']', 'expected 1'),
        ('meta.json', lambda b: b.replace(b'"files"', b'"filed"'), 'no size and hash of frames'),
        ('meta.json', lambda b: b.replace(b'"frames.npy": [', b'"frames.npy": ["", '), 'no size'),
        ('meta.json', lambda b: b.replace(b'"format": 1', b'"format": 7'), 'expected 1'),
    ],
)
def test_a_damaged_shard_is_named_and_ends_with_1(shard: Path, file: str, change, words) -> None:
    (shard / file).write_bytes(change((shard / file).read_bytes()))
    assert words in damage(shard)
    done = CliRunner().invoke(app, ['stats', str(shard.parent)])
    assert done.exit_code == 5 and words in done.output


@pytest.mark.parametrize(
    ('cut', 'status', 'said'),
    [
        (1, 5, 'frames.npy has '),
        (0, 2, 'is of another profile than nano: pictures 1 x 2 x 2 x 3 and plans 60 x 3, expec'),
    ],
)
def test_a_step_trains_on_no_damaged_shard_and_none_of_another_profile(
    shard: Path, tmp_path: Path, cut: int, status: int, said: str
) -> None:
    recipe, root = tmp_path / 'r.yaml', shard.parents[1]
    recipe.write_text(
        'profile: nano\nsteps:\n  - {name: a, do: driver, data: [expert], minutes: 1}\n'
    )
    shutil.copytree(shard, shard.with_name('validation-0'))
    whole = (shard / 'frames.npy').read_bytes()
    (shard / 'frames.npy').write_bytes(whole[: len(whole) - cut])
    words = ['train', 'run', '--recipe', str(recipe), '--root', str(root)]
    done = CliRunner().invoke(main.app, words)
    assert done.exit_code == status and said in done.stderr
    assert not (root / 'model.safetensors').exists()


def test_a_missing_file_is_called_missing(shard: Path) -> None:
    (shard / 'frames.npy').unlink()
    assert damage(shard).startswith(f'{shard / "frames.npy"} is missing: ')


def test_the_command_prints_the_figures_and_refuses_an_empty_folder(
    shard: Path, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ['stats', '--json', str(tmp_path)])
    assert done.exit_code == 0 and json.loads(done.output)['samples'] == 10
    (tmp_path / 'empty').mkdir()
    done = CliRunner().invoke(app, ['stats', str(tmp_path / 'empty')], env={'COLUMNS': '300'})
    assert done.exit_code == 2 and 'no shard' in done.output
