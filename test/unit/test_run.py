"""``./run``: teaches, refuses with advice, and is quick when nothing changed."""

import os
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in {**os.environ, **changes}.items() if k != 'ROS_DISTRO' or changes}
    command = ['bash', str(ROOT / 'run'), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize('words', [(), ('--help',), ('help',)])
def test_help_names_every_command_and_gives_examples(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 0
    for command in ('setup', 'demo', 'test', 'lint', 'shell', './run demo'):
        assert command in done.stdout


def test_an_unknown_command_is_refused_with_help() -> None:
    done = run('fly')
    assert done.returncode == 2 and "'fly'" in done.stderr and 'usage' in done.stderr


@pytest.mark.parametrize('command', ['setup', 'demo', 'test', 'lint', 'shell'])
def test_a_sourced_ros_is_sent_to_colcon(command: str) -> None:
    done = run(command, ROS_DISTRO='jazzy')
    assert done.returncode == 2
    assert 'jazzy' in done.stderr and 'colcon build' in done.stderr


def test_an_unfit_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / 'old_python'
    old.write_text('#!/bin/sh\nexit 1\n')
    old.chmod(0o755)
    script = (ROOT / 'run').read_text().replace('main "$@"', 'find_python')
    (tmp_path / 'run').write_text(script)
    env = {**os.environ, 'PYTHON': str(old)}
    done = subprocess.run(['bash', tmp_path / 'run'], env=env, capture_output=True, text=True)
    assert done.returncode == 2 and '3.10, 3.11 or 3.12' in done.stderr


@pytest.mark.skipif(
    not (ROOT / '.venv/stamp.base').is_file(), reason='set up by colcon, not ./run'
)
def test_a_second_setup_takes_less_than_three_seconds() -> None:
    start = time.monotonic()
    done = run('setup')
    assert done.returncode == 0, done.stderr
    assert 'installing' not in done.stderr
    assert time.monotonic() - start < 3.0
