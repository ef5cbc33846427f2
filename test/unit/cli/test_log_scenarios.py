"""A scenario whose recorded log is missing or unsound is refused before anything starts."""

import subprocess
from pathlib import Path
from typing import Any

import log_scene
import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli import main
from alpamayo_ros.datasets import log_format
from alpamayo_ros.simulation.scenario import load_scenario

TEXT = """name: s
description: x
map: log
duration_s: 9
"""
NAMED = 'traffic: {log: scene.json}\n'
# What the scenario says beside ``TEXT``, what the log holds (None: no file), what is said.
WRONG = {
    'missing': (NAMED, None, "scene.yaml:5: traffic.log: no log 'scene.json'; config/logs has"),
    'no JSON': (NAMED, 'a letter', 'scene.json: file: Invalid JSON'),
    'empty': (NAMED, '{}', 'scene.json: name: Field required; expected format alpamayo_log 1'),
    'unnamed': ('', None, 'scene.yaml:1: map: log wants the log to be driven, and none is named'),
}
COMMANDS = (
    'sim --planner expert --seeds 0 --scenario {0}/scene.yaml',
    'sim --planner expert --seeds 0 --suite {0}',
    'up simulator --runtime scripted --scenario {0}/scene.yaml',
    'data clips --seeds 10000 --out {0}/clips --scenario {0}/scene.yaml',
    'data simulate {0}/drive.mcap --scenario {0}/scene.yaml',
)


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch) -> None:
    def start(command: object, *rest: Any, **options: Any) -> None:
        raise AssertionError(f'a process was started: {command}')

    monkeypatch.setattr(subprocess, 'Popen', start)


def put(folder: Path, named: str, log: str | None) -> Path:
    """The scenario's file, with the log beside it."""
    if log is not None:
        (folder / 'scene.json').write_text(log)
    (folder / 'scene.yaml').write_text(TEXT + named)
    return folder / 'scene.yaml'


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('wrong', WRONG)
def test_a_log_that_cannot_be_driven_is_a_sentence(command, wrong, tmp_path) -> None:
    named, log, sentence = WRONG[wrong]
    put(tmp_path, named, log)
    result = CliRunner(env={'COLUMNS': '300'}).invoke(
        main.app, command.format(tmp_path).split(), prog_name='alpamayo'
    )
    assert result.exit_code == 2, result.stderr
    assert sentence in result.stderr and 'Traceback' not in result.stderr


def test_a_sound_log_is_read_once_for_the_check_and_the_drive(tmp_path, monkeypatch) -> None:
    path = put(tmp_path, NAMED, None)
    log_format.write_log(log_scene.scene(), tmp_path / 'scene.json')
    log_format._checked.cache_clear()
    scenario = load_scenario(path)
    first = log_format.read_log(scenario.traffic.log)
    assert log_format.read_log(scenario.traffic.log) is first
    assert log_format._checked.cache_info().misses == 1
    log_format.write_log(log_scene.scene(speed_mps=7.0), tmp_path / 'scene.json')
    assert log_format.read_log(scenario.traffic.log) != first, 'what lies there now is read'
