"""``./run``: teaches, refuses with advice, and is quick when nothing changed."""

import json
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in {**os.environ, **changes}.items() if k != 'ROS_DISTRO' or changes}
    command = ['bash', str(ROOT / 'run'), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=500)


def shell(code: str, folder: Path = ROOT, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run bash code with the functions of ``run`` in ``folder``."""
    env = {**os.environ, **changes}
    command = ['bash', '-c', f'source ./run; {code}']
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=500
    )


@pytest.mark.parametrize('words', [(), ('--help',), ('help',)])
def test_help_names_every_command_and_gives_examples(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 0
    for command in 'setup demo test lint mutate nightly shell docs bundle clean'.split():
        assert f'\n  {command} ' in done.stdout
    assert './run demo' in done.stdout


def test_an_unknown_command_is_refused_with_help() -> None:
    done = run('fly')
    assert done.returncode == 2 and "'fly'" in done.stderr and 'usage' in done.stderr


@pytest.mark.parametrize(
    'command', 'setup demo test lint mutate nightly shell docs bundle'.split()
)
def test_a_sourced_ros_is_sent_to_colcon(command: str) -> None:
    done = run(command, ROS_DISTRO='jazzy')
    assert done.returncode == 2
    assert 'jazzy' in done.stderr and 'colcon build' in done.stderr


def test_an_unfit_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / 'old_python'
    old.write_text('#!/bin/sh\nexit 1\n')
    old.chmod(0o755)
    done = shell('find_python', PYTHON=str(old))
    assert done.returncode == 2 and 'expected Python 3.11 or 3.12' in done.stderr


def test_clean_removes_what_was_made_and_keeps_results_and_sources(tmp_path: Path) -> None:
    shutil.copy(ROOT / 'run', tmp_path / 'run')
    made = ['.venv/bin/python', 'build/a', 'alpamayo_ros/msg/made', 'alpamayo_ros/made.so']
    made += ['test/__pycache__/a.pyc', 'alpamayo_ros.egg-info/a']
    kept = ['out/demo/report.html', 'msg/Health.msg', 'alpamayo_ros/source', 'test/source']
    for name in (*made, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('')
    done = subprocess.run(['bash', tmp_path / 'run', 'clean'], capture_output=True, text=True)
    assert done.returncode == 0 and 'out/' in done.stderr
    assert [name for name in (*made, *kept) if (tmp_path / name).exists()] == kept


def test_a_changed_message_or_requirement_makes_the_set_up_stale(tmp_path: Path) -> None:
    compiled = tmp_path / 'alpamayo_ros' / 'msg' / '__init__.py'
    compiled.parent.mkdir(parents=True)
    compiled.write_text('')
    for name in ('msg', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ('run', 'setup.py', 'package.xml', 'CMakeLists.txt'):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / '.venv').mkdir()
    assert shell('wanted_stamp base > .venv/stamp.base; fresh base', tmp_path).returncode == 0
    with (tmp_path / 'msg' / 'Health.msg').open('a') as file:
        file.write('uint8 later\n')
    assert shell('fresh base', tmp_path).returncode == 1
    assert shell('wanted_stamp base > .venv/stamp.base; fresh base', tmp_path).returncode == 0
    with (tmp_path / 'requirements' / 'core.txt').open('a') as file:
        file.write('# later\n')
    assert shell('fresh base', tmp_path).returncode == 1
    assert shell('wanted_stamp base > .venv/stamp.base; fresh base', tmp_path).returncode == 0
    compiled.unlink()  # git clean -xfd with .venv kept
    assert shell('fresh base', tmp_path).returncode == 1


@pytest.mark.skipif(
    shell('fresh base').returncode != 0, reason='.venv was not made by ./run, or it is out of date'
)
def test_a_second_setup_takes_less_than_three_seconds_of_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run('setup')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert 'installing' not in done.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3.0


def test_every_executable_has_a_node_with_a_main() -> None:
    listed = re.search(r'set\(NODES ([\w\s]+)\)', (ROOT / 'CMakeLists.txt').read_text())
    assert listed is not None
    for node in listed.group(1).split():
        module = ROOT / 'alpamayo_ros' / 'nodes' / f'{node}.py'
        assert 'def main(' in module.read_text(), node


def test_a_missing_browser_is_said_and_stops_nothing(tmp_path: Path) -> None:
    for name in ('id', 'grep'):  # neither root nor Debian, and no browser on this PATH
        fake = tmp_path / name
        fake.write_text('#!/bin/sh\nexit 1\n')
        fake.chmod(0o755)
    done = shell(f'PATH={tmp_path}; browser_package')
    assert done.returncode == 0 and 'sudo apt-get install chromium' in done.stderr


def test_the_viewer_belongs_to_the_tests_and_not_to_the_setup() -> None:
    text = (ROOT / 'run').read_text()
    setup, _, tests = text.partition('setup_level() {')[2].partition('fresh test; then')
    assert 'view.txt' not in setup and '--target .venv/view' in tests


def fake_python(folder: Path) -> Path:
    """A .venv whose Python writes down what it was asked; returns where."""
    python, told = folder / '.venv' / 'bin' / 'python', folder / 'told'
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    python.chmod(0o755)
    shutil.copy(ROOT / 'run', folder / 'run')
    return told


def test_wheels_in_a_folder_are_installed_without_a_registry(tmp_path: Path) -> None:
    told = fake_python(tmp_path)
    (tmp_path / 'wheels').mkdir()
    done = shell('pip_install -r core.txt', tmp_path, WHEELS='wheels')
    assert done.returncode == 0, done.stderr
    assert '--no-index --find-links wheels -r core.txt' in told.read_text()
    told.unlink()
    assert shell('pip_install -r core.txt', tmp_path, WHEELS='').returncode == 0
    assert '--no-index' not in told.read_text()
    refused = shell('pip_install -r core.txt', tmp_path, WHEELS='nowhere')
    assert refused.returncode == 2 and './run bundle' in refused.stderr


def test_a_bundle_collects_what_setup_installs(tmp_path: Path) -> None:
    told = fake_python(tmp_path)
    done = shell('bundle stick/wheels', tmp_path)
    assert done.returncode == 0 and 'WHEELS=FOLDER ./run setup' in done.stderr
    assert 'pip wheel' in told.read_text() and '--wheel-dir stick/wheels' in told.read_text()
    setup = (ROOT / 'run').read_text().split('bundle()')[0]
    for name in ('ros', 'core', 'sim'):
        assert f'-r requirements/{name}.txt' in setup
        assert f'-r requirements/{name}.txt' in told.read_text()


def test_the_image_has_the_system_packages_that_setup_asks_for() -> None:
    image = (ROOT / 'Dockerfile').read_text()
    wanted = set(re.findall(r'missing\+=\(([\w-]+)\)', (ROOT / 'run').read_text()))
    assert {name for name in wanted if name not in image.split()} == {
        'python3-venv'
    }  # in the base
    container = json.loads((ROOT / '.devcontainer' / 'devcontainer.json').read_text())
    assert f'AS {container["build"]["target"]}\n' in image
    ignored = (ROOT / '.dockerignore').read_text().split()
    assert {'.venv', 'out', 'build', 'alpamayo_ros/msg'} <= set(ignored)
