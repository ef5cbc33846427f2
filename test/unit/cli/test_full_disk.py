"""A full disk in long work: the machine's status, and the name of what could not be written."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.cli import main
from alpamayo_ros.statuses import Status
from alpamayo_ros.training import dataset

DRIVE = '--scenario stopped_car --seeds 10000'


def full(*_: object, **__: object) -> None:
    """What a write says: the operating system names no file then."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ('command', 'where', 'named'),
    [
        (f'data clips {DRIVE} --out {{0}}', 'training.clips.drives.drive_clip', ''),
        ('data shards clips --out {0}/clips-0', 'cli.clips.sharding.opened', '/clips-0'),
        ('data simulate {0}/d.mcap', 'simulation.drive.drive_bag.record_drive', '/d.mcap'),
        ('data log simulated stopped_car {0}/l.json', 'cli.data_log._write', '/l.json'),
    ],
)
def test_a_command_names_what_it_could_not_write(
    command, where, named, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(f'alpamayo_ros.{where}', full)
    result = CliRunner().invoke(main.app, command.format(tmp_path).split(), prog_name='alpamayo')
    assert result.exit_code == Status.ENVIRONMENT
    assert f'alpamayo: {tmp_path}{named}: no space left on device' in result.stderr


def test_numpy_s_short_writes_name_the_shard_s_file(tmp_path: Path, small_files: None) -> None:
    writer = dataset.ShardWriter()
    writer.add_frame(np.zeros((7, 64, 112, 3), np.uint8))
    with pytest.raises(OSError, match='frames.npy') as refused:
        writer.write(tmp_path / 'shard', {})
    assert refused.value.filename == str(tmp_path / 'shard' / 'frames.npy')
    assert refused.value.errno == errno.ENOSPC
    assert list((tmp_path / 'shard').iterdir()) == []  # a full disk keeps no part of it


@pytest.mark.parametrize(
    ('error', 'status'),
    [
        (OSError('no Parquet file'), Status.USAGE),
        (FileNotFoundError(errno.ENOENT, 'No such file or directory', 'a'), Status.USAGE),
        (PermissionError(errno.EACCES, 'Permission denied', 'a'), Status.ENVIRONMENT),
        (OSError(errno.EDQUOT, 'Disk quota exceeded'), Status.ENVIRONMENT),
    ],
)
def test_what_is_typed_and_what_the_machine_refuses(error, status, monkeypatch, tmp_path) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr('alpamayo_ros.cli.clips.making._driven', fail)
    result = CliRunner().invoke(main.app, f'data clips {DRIVE} --out {tmp_path}'.split())
    assert result.exit_code == status
    assert f'alpamayo: {error.filename or ""}' in result.stderr
