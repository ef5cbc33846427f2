"""A folder that takes another's place: only when it is complete, and with what else lay there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from alpamayo_ros.cli.models.fresh_folder import check_replaceable, fresh_folder
from alpamayo_ros.statuses import ConfigError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_comes_with_its_parents_and_in_the_usual_mode(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / 'a' / 'b') as fresh:
        (fresh / 'x').write_text('new')
        assert not (tmp_path / 'a').exists()
    (tmp_path / 'usual').mkdir()
    assert names(tmp_path) == ['a', 'usual'] and names(tmp_path / 'a' / 'b') == ['x']
    assert (tmp_path / 'a' / 'b').stat().st_mode == (tmp_path / 'usual').stat().st_mode


def test_a_link_goes_on_to_the_folder_that_was_replaced(tmp_path: Path) -> None:
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to('real')
    with fresh_folder(tmp_path / 'link') as fresh:
        (fresh / 'x').write_text('new')
    assert (tmp_path / 'link').is_symlink() and names(tmp_path / 'real') == ['x']
    assert names(tmp_path) == ['link', 'real']


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_trace(number: int, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), fresh_folder(tmp_path / 'a' / 'b'):
        os.kill(os.getpid(), number)
    assert names(tmp_path) == [] and signal.getsignal(number) is before


HELD = """
import os, signal, sys
from pathlib import Path
from alpamayo_ros.cli.models.fresh_folder import fresh_folder
with fresh_folder(Path(sys.argv[1])) as fresh:
    (fresh / 'x').write_text('half')
    print(fresh.parent.name, flush=True)
    signal.pause()
"""


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(
    tmp_path: Path,
) -> None:
    command = [sys.executable, '-c', HELD, str(tmp_path / 'mine')]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        (tmp_path / f'{left}.old').mkdir()
        with fresh_folder(tmp_path / 'mine'):
            assert (tmp_path / left / 'mine' / 'x').is_file()
        process.kill()
    assert names(tmp_path) == [left, f'{left}.old', 'mine']
    with fresh_folder(tmp_path / 'mine'):
        assert not (tmp_path / left).exists()
    assert names(tmp_path) == [f'{left}.old', 'mine']


def test_a_place_that_cannot_be_taken_gets_its_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rename = tmp_path / 'mine', Path.rename
    target.mkdir()
    (target / 'x').write_text('old')

    def refused(path: Path, to: Path) -> Path:
        if to == target and path.parent != tmp_path:
            raise PermissionError(13, 'Permission denied', str(to))
        return rename(path, to)

    monkeypatch.setattr(Path, 'rename', refused)
    with pytest.raises(PermissionError), fresh_folder(target) as fresh:
        (fresh / 'x').write_text('new')
    assert names(tmp_path) == ['mine'] and (target / 'x').read_text() == 'old'


def test_the_folder_one_is_in_and_a_mount_point_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match='the folder you are in'):
        check_replaceable(Path())
    with pytest.raises(ConfigError, match='/proc is a mount point'):
        check_replaceable(Path('/proc'))
    check_replaceable(tmp_path / 'new')
