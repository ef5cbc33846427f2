"""Two commands on one folder at once: the second is refused, and nothing stays of the first."""

import errno
import fcntl
from pathlib import Path

import pytest

from alpamayo_ros.cli.common.alone import alone
from alpamayo_ros.statuses import ConfigError


def test_a_second_command_on_the_same_folder_is_refused_and_a_third_after_it_is_not(
    tmp_path: Path,
) -> None:
    out = tmp_path / 'out'
    with alone(out):
        with pytest.raises(ConfigError, match='another command writes to it now'), alone(out):
            raise AssertionError('held twice')
        with alone(tmp_path / 'another'):
            (out / 'summary.json').touch()
    with alone(out):
        pass
    assert [path.name for path in out.iterdir()] == ['summary.json']


def test_a_folder_that_was_made_and_stays_empty_goes_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='refused'), alone(tmp_path / 'a' / 'b'):
        raise ConfigError('refused')
    assert not list(tmp_path.iterdir())
    (tmp_path / 'mine').mkdir()
    with alone(tmp_path / 'mine'):
        pass
    assert (tmp_path / 'mine').is_dir()


def test_a_file_system_without_locks_is_written_to(tmp_path: Path, monkeypatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', none)
    with alone(tmp_path):
        pass
