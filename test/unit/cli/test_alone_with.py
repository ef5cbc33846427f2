"""Two commands that would write one file at their end: the second is refused at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from alpamayo_ros.cli.common.alone import alone_with
from alpamayo_ros.statuses import ConfigError

SIM = ('sim', '--scenario', 'winding_road', '--planner', 'expert', '--seeds', '0:1', '--json')


def test_a_second_writer_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / 'deep' / 'out.json'
    with alone_with(file):
        with pytest.raises(ConfigError, match='another command writes to it now.*another file'):
            with alone_with(file):
                raise AssertionError('two hold it')
        with alone_with(tmp_path / 'deep' / 'other.json'), alone_with(None):
            pass
    with alone_with(file):
        pass
    assert not list(tmp_path.rglob('*.lock'))


def test_a_lock_that_a_killed_command_left_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / 'out.json.lock').touch()
    with alone_with(tmp_path / 'out.json'):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.processes
def test_sim_says_so_before_it_drives(tmp_path: Path) -> None:
    file = tmp_path / 'out.json'
    with alone_with(file):
        call = [sys.executable, '-m', 'alpamayo_ros', *SIM, str(file)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and 'another command writes to it now' in done.stderr
    assert not file.exists()
