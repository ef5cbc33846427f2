"""What people type wrong on the first day: a sentence, a status of the table, no traceback."""

import builtins
import errno
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import wrong_files
import wrong_uses
from typer.testing import CliRunner

from alpamayo_ros import __main__, preflight
from alpamayo_ros.cli import main, up
from alpamayo_ros.graph_options import Options, parse_options
from alpamayo_ros.nodes.common.launching import checked, typed
from alpamayo_ros.statuses import ConfigError, MachineError, Status

LIBRARY_FINDERS = ('ldconfig', 'gcc', 'cc', 'ld', 'objdump')  # run by ctypes.util.find_library


@pytest.fixture(scope='module')
def files(tmp_path_factory) -> dict[str, str]:
    return wrong_files.made(tmp_path_factory.mktemp('wrong'))


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch) -> None:
    """A mistake that is not seen before a process starts fails here.

    The tools that Python's own ``ctypes.util`` asks for a library's file, which the import of
    torch makes it do in whichever test comes first, are let through.
    """
    popen = subprocess.Popen

    def start(command: object, *rest: Any, **options: Any) -> Any:
        name = Path(command[0]).name if isinstance(command, list | tuple) else str(command)
        if name in LIBRARY_FINDERS:
            return popen(command, *rest, **options)
        raise AssertionError(f'a process was started: {command}')

    monkeypatch.setattr(subprocess, 'Popen', start)
    monkeypatch.setattr(os, 'execve', start)


def said(words: str) -> tuple[int, str]:
    """Status and stderr of a command in this process."""
    result = CliRunner(env={'COLUMNS': '300'}).invoke(
        main.app, shlex.split(words), prog_name='alpamayo'
    )
    return result.exit_code, result.stderr + result.stdout


def test_there_are_a_hundred_and_more() -> None:
    commands = [row[0] for row in wrong_uses.ROWS]
    assert len(set(commands)) == len(commands) >= 100


@pytest.mark.parametrize('row', wrong_uses.ROWS, ids=lambda row: row[0][:60])
def test_a_wrong_use_is_a_sentence_with_its_status(row, files) -> None:
    words, status, fragments = row
    ended, text = said(words.format(**files))
    assert 'Traceback' not in text and text.strip(), text
    assert ended == status, text
    for part in fragments.format(**files).split('|'):
        assert part in text, (part, text)
    assert len(text.strip().splitlines()) <= 40


@pytest.mark.parametrize('value', ['x', '-1', '233', '1.5', '٣', ' '])
def test_a_domain_id_that_the_middleware_would_refuse(value, monkeypatch) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', value)
    status, text = said('up vehicle')
    assert status == 2 and 'ROS_DOMAIN_ID' in text and 'from 0 to 232' in text


def test_a_full_disk_and_a_library_that_is_missing_are_the_machine_s(
    monkeypatch, tmp_path
) -> None:
    usage = shutil._ntuple_diskusage(10, 10, 0)
    monkeypatch.setattr(preflight.shutil, 'disk_usage', lambda path: usage)
    status, text = said(f'up vehicle --runtime scripted --record {tmp_path}/run')
    assert status == 6 and '0 MB are free' in text
    monkeypatch.setattr(preflight, 'EGL', ('libNoSuchThing.so',))
    status, text = said('up simulator --runtime scripted')
    assert status == 6 and 'libEGL.so.1 is not here' in text


def test_a_port_in_use(monkeypatch) -> None:
    from alpamayo_ros.viewer import packages

    monkeypatch.setattr(packages, 'binary', lambda: Path('/bin/true'))
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = min(other.getsockname()[1], 65434)
        status, text = said(f'view --live --no-browser --port {port}')
    assert status == 6 and f'port {port} is taken' in text


@pytest.mark.parametrize(
    ('error', 'status'),
    [
        (KeyboardInterrupt(), 130),
        (OSError(errno.ENOSPC, 'No space left on device', 'out/a.json'), 6),
        (MachineError('no'), 6),
        (ConfigError('no'), 2),
        (BrokenPipeError(), 0),
        (RuntimeError('a defect'), 70),
    ],
)
def test_every_end_has_its_status(error, status, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(up, 'check_graph', refuse)
    monkeypatch.setattr('alpamayo_ros.cli.common.refusing._silence', lambda: None)
    ended, text = said('up vehicle')
    assert ended == status
    assert ('Traceback' in text) == (status == Status.INTERNAL)


def test_launch_files_check_the_same_before_they_start_anything(
    files, capsys, monkeypatch
) -> None:
    for name, texts, status, fragment in (
        ('vehicle', {'rig': '/nowhere.yaml'}, 2, 'no rig file /nowhere.yaml'),
        ('vehicle', {'runtime': 'trt'}, 2, "no runtime 'trt'"),
        ('vehicle', {'parameters': 'nofile'}, 2, 'no parameter file nofile'),
        ('vehicle', {'rgi': 'sim'}, 2, 'did you mean rig?'),
        ('simulator', {'seed': '-5'}, 2, 'seed:=-5: expected 0 to'),
        ('simulator', {'seed': 'four'}, 2, "seed:='four' is not a int"),
        ('simulator', {'duration_s': 'nan'}, 2, 'duration_s:=nan: expected 0 to'),
        ('replay', {'bag': files['none']}, 2, 'no bag'),
    ):
        with pytest.raises(SystemExit) as ended:
            checked(name, texts)
        text = capsys.readouterr().err
        assert ended.value.code == status and fragment in text, text
        assert text.startswith(f'{name}.launch.py: ') and text.count('\n') == 1
    monkeypatch.setattr(sys, 'argv', ['launch', 'alpamayo_ros', 'vehicle.launch.py', 'rgi:=x'])
    assert typed() == {'rgi': 'x'}
    monkeypatch.setattr(sys, 'argv', ['launch', 'other', 'mine.launch.py', 'rgi:=x'])
    assert typed() == {}
    assert parse_options({'seed': '3'}) == Options(seed=3)


def test_ctrl_c_while_the_command_line_is_imported_leaves_no_traceback(monkeypatch) -> None:
    def interrupted(name: str, *rest: object) -> object:
        if name == 'alpamayo_ros.cli.main':
            raise KeyboardInterrupt
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, '__import__', interrupted)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == Status.INTERRUPTED
