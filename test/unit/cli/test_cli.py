"""``alpamayo``: help that is quick and true, subcommands that are imported when called."""

import errno
import os
import re
import subprocess
import sys

import pytest

import alpamayo_ros
from alpamayo_ros.cli import main
from alpamayo_ros.cli.main import SUBCOMMANDS, _module


def alpamayo(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, 'COLUMNS': '120', 'NO_COLOR': '1', 'TERM': 'dumb'}
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=500)


def test_version_is_that_of_the_package(repository) -> None:
    stated = re.search('<version>(.*?)</version>', (repository / 'package.xml').read_text())
    assert alpamayo('--version').stdout == f'alpamayo_ros {stated.group(1)}\n'
    assert alpamayo_ros.__version__ == stated.group(1)


def test_help_lists_exactly_what_is_installed_and_gives_examples() -> None:
    text = alpamayo('--help').stdout
    listed = re.findall(r'^│ (\w+) +\S', text, re.M)
    assert sorted(listed) == sorted(name for name in SUBCOMMANDS if _module(name))
    assert 'alpamayo doctor' in text and 'alpamayo up simulator' in text


def test_no_arguments_teach() -> None:
    assert 'Usage: alpamayo' in alpamayo().stdout


def test_an_unknown_subcommand_is_refused() -> None:
    done = alpamayo('fly')
    assert done.returncode == 2 and 'fly' in done.stderr


@pytest.mark.parametrize('name', [n for n in SUBCOMMANDS if _module(n) and n != 'train'])
def test_every_listed_subcommand_explains_itself(name: str) -> None:
    done = alpamayo(name, '--help')
    assert done.returncode == 0, done.stderr
    assert f'Usage: alpamayo {name}' in done.stdout and len(done.stdout) > 200


@pytest.mark.parametrize(
    ('name', 'said'),
    [('cap', 'At most so fast [m/s]; 0: stop.'), ('up', 'Accelerate no harder than this [m/s2]')],
)
def test_units_stand_in_the_help_and_are_no_markup(name: str, said: str) -> None:
    text = ' '.join(re.sub('[│\\s]+', ' ', alpamayo(name, '--help').stdout).split())
    assert said in text and '\\[' not in text


def test_help_needs_none_of_the_heavy_packages() -> None:
    code = (
        'import sys; from alpamayo_ros.cli import main; sys.argv = ["alpamayo", "--help"]\n'
        'try: main.app(prog_name="alpamayo")\n'
        'except SystemExit: pass\n'
        'heavy = {"cv2", "onnx", "torch", "onnxruntime", "rclpy", "scipy", "matplotlib"}\n'
        'print("loaded:", sorted(heavy & set(sys.modules)))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=500
    )
    assert done.stdout.splitlines()[-1] == 'loaded: []'


def test_help_costs_hardly_more_than_what_prints_it() -> None:
    """Processor time beside that of typer and rich alone: processors differ."""
    bare = [sys.executable, '-c', 'import rich.console, typer.main']
    found: dict[str, float] = {}
    for _ in range(3):
        for name, call in (
            ('bare', lambda: subprocess.run(bare, check=True)),
            ('help', lambda: alpamayo('--help')),
        ):
            before = os.times()
            call()
            after = os.times()
            spent = sum(after[2:4]) - sum(before[2:4])
            found[name] = min(found.get(name, 9.0), spent)
    assert found['help'] < 5.0 * found['bare']


@pytest.mark.parametrize(
    ('error', 'status'),
    [
        (OSError(errno.ENOSPC, 'No space left on device', 'out/summary.json'), 6),
        (PermissionError(errno.EACCES, 'Permission denied', 'a.mcap'), 6),
        (UnicodeEncodeError('utf-8', 'a\udcff', 1, 2, 'surrogates not allowed'), 6),
        (FileNotFoundError(errno.ENOENT, 'No such file or directory', 'a.mcap'), 2),
    ],
)
def test_the_operating_system_s_errors_are_one_sentence_and_a_status(
    error, status, monkeypatch, capsys
) -> None:
    def refuse(name: str) -> None:
        raise error

    monkeypatch.setattr(main, '_load', refuse)
    monkeypatch.setattr(main.environment, 'prepare', lambda: None)
    monkeypatch.setattr(sys, 'argv', ['alpamayo', 'sim'])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == status
    said = capsys.readouterr().err
    assert said.startswith('alpamayo: ') and said.count('\n') == 1
