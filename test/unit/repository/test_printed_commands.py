"""Every command that README and docs print parses as it is written, and is carried out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import printed
import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli import main, up
from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation.drive.drive_bag import record_drive
from alpamayo_ros.simulation.scenario import load_scenario

COMMANDS = printed.commands()
CALLS = [c for c in COMMANDS if printed.arguments(c)]
PATIENCE_S = 900.0
VERDICTS = ('replay', 'rig', 'doctor')  # their status is what they found
HOWS = ('run', 'checked', 'tested', 'elsewhere')


def of(how: str) -> list[printed.Printed]:
    found = {}
    for command in COMMANDS:
        row = printed.row_of(command)
        if row is not None and row.how == how:
            found.setdefault(command.words, command)
    return list(found.values())


def name(command: printed.Printed) -> str:
    return f'{command.page}: {command.text[:70]}'


def test_there_are_commands_and_each_has_a_row() -> None:
    assert len(COMMANDS) > 100 and len({c.page for c in COMMANDS}) > 15
    assert [name(c) for c in COMMANDS if printed.row_of(c) is None] == []
    assert {row.how for row in printed.ROWS} == set(HOWS)
    used = {printed.row_of(c) for c in COMMANDS}
    assert [row.start for row in printed.ROWS if row not in used] == []


def test_what_is_tested_elsewhere_names_a_test_that_there_is() -> None:
    rows = [row for row in printed.ROWS if row.how in ('tested', 'checked')]
    assert [r.about for r in rows if not (printed.ROOT / r.about).is_file()] == []
    assert all(row.about for row in printed.ROWS if row.how == 'elsewhere')


@pytest.mark.parametrize('command', CALLS, ids=name)
def test_it_parses_as_it_is_written(command: printed.Printed) -> None:
    words = list(printed.arguments(command))
    called, rest = main._load(words[0]), words[1:]
    while rest and rest[0] in getattr(called, 'commands', {}):
        called, rest = called.commands[rest[0]], rest[1:]
    context = called.make_context(called.name, list(rest))  # UsageError where it does not
    assert not context.args and (not getattr(called, 'commands', {}) or called.callback)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages' commands find where they are typed."""
    work = tmp_path_factory.mktemp('printed')
    (work / 'out').mkdir()
    short = load_scenario('slowing_leader').model_copy(update={'duration_s': 2.0})
    bag = work / 'out' / 'drive.mcap'
    record_drive(short, 7, bag, 1.5)
    for other in ('drive.mcap', 'my_drive.mcap'):
        shutil.copy(bag, work / other)
    for rig in ('my_car.yaml', 'my_rig.yaml'):
        shutil.copy(share_dir() / 'config' / 'rigs' / 'sim.yaml', work / rig)
    (work / 'models').mkdir()
    for model in ('nano', 'mine'):
        (work / 'models' / model).symlink_to(share_dir() / 'models' / 'nano')
    (work / 'folder_of_scenes').mkdir()
    scene = next((share_dir() / 'config' / 'scenarios' / 'recorded_log').glob('*.yaml'))
    for copy in (work / 'scene.yaml', work / 'folder_of_scenes' / 'scene.yaml'):
        shutil.copy(scene, copy)
    page = (printed.ROOT / 'docs' / 'evaluate_a_drive.md').read_text()
    tolerances = re.search(r'```yaml\n(.*?)```', page, re.DOTALL)
    assert tolerances is not None
    (work / 'tolerances.yaml').write_text(tolerances[1])
    page = (printed.ROOT / 'docs' / 'api.md').read_text()
    planner = re.search(r'```python\n(# my_planner.py.*?)```', page, re.DOTALL)
    assert planner is not None
    (work / 'my_planner.py').write_text(planner[1])
    page = (printed.ROOT / 'docs' / 'write_a_scenario.md').read_text()
    scenario = re.search(r'```yaml\n(.*?)```', page, re.DOTALL)
    assert scenario is not None
    (work / 'my_suite').mkdir()
    (work / 'my_suite' / 'school_street.yaml').write_text(scenario[1])
    return work


@pytest.mark.parametrize('command', of('checked'), ids=name)
def test_a_graph_is_checked_up_to_its_first_process(
    command: printed.Printed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(up.Supervisor, 'run', lambda self, limit_s: reached.append(limit_s) or 0)
    monkeypatch.setattr(up, 'freed', lambda now_s: '')
    words = list(printed.arguments(command))
    with put_away(folder, words[words.index('--bag-out') + 1] if '--bag-out' in words else ''):
        done = CliRunner(env={'COLUMNS': '200'}).invoke(main.app, words)
    assert done.exit_code == 0 and reached, done.output


@contextmanager
def put_away(folder: Path, bag: str) -> Iterator[None]:
    """The bag that other pages read is not there yet where a page records it."""
    kept = folder / 'kept.mcap'
    if bag:
        (folder / bag).rename(kept)
    yield
    if bag:
        kept.rename(folder / bag)


def call(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What the shell would do, in the folder of the pages' files."""
    told = [word.replace('/data/', f'{folder}/') for word in words]
    environment = {**os.environ, 'COLUMNS': '100', 'PYTHONPATH': str(printed.ROOT)}
    line = [sys.executable, '-m', 'alpamayo_ros', *told]
    return subprocess.run(
        line, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )


def prepare(words: list[str], folder: Path) -> None:
    """The earlier result that a command is compared with, by the same command without that."""
    if '--against' not in words:
        return
    at = words.index('--against')
    earlier, rest = folder / words[at + 1], words[:at] + words[at + 2 :]
    if earlier.is_file():
        return
    if words[0] == 'replay':
        call(['replay', rest[1], '--out', 'out/earlier'], folder)
        shutil.copy(folder / 'out' / 'earlier' / 'summary.json', earlier)
    else:
        done = call([w for w in rest if w not in ('--json', 'new.json', 'out/mine.json')]
                    + ['--json', words[at + 1]], folder)  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.mark.nightly
@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize('command', of('run'), ids=name)
def test_it_runs_at_small_size(command: printed.Printed, folder: Path) -> None:
    row = printed.row_of(command)
    assert row is not None
    if not printed.arguments(command):
        _copy(command, folder)
        return
    words = printed.small(command, row)
    prepare(words, folder)
    done = call(words, folder)
    verdict = words[0] in VERDICTS or '--against' in words
    assert done.returncode in ((0, 1, 3) if verdict else (0,)), done.stderr + done.stdout
    assert 'Traceback' not in done.stderr and (done.stdout or done.stderr).strip()


def _copy(command: printed.Printed, folder: Path) -> None:
    """The one command of a shell that the pages print between calls of alpamayo."""
    tool, source, target = command.words
    assert tool == 'cp'
    if not (folder / source).is_file():
        call(['replay', 'out/drive.mcap', '--out', str(Path(source).parent)], folder)
    shutil.copy(folder / source, folder / target)
    assert json.loads((folder / target).read_text())['verdict']
