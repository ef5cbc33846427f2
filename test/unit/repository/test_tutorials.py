"""The tutorials can be followed: every command parses as written, every file in them is valid."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from alpamayo_ros.cli.main import _load
from alpamayo_ros.metrics import METRICS
from alpamayo_ros.metrics.regression import Tolerance
from alpamayo_ros.metrics.scores import FIGURES
from alpamayo_ros.simulation.actor_models import AnyActor, Vehicle
from alpamayo_ros.simulation.scenario import Looks, RoadShape, Scenario, Start, Traffic, Verdict

DOCS = Path(__file__).resolve().parents[3] / 'docs'
DRIVE, SCENARIO = DOCS / 'evaluate_a_drive.md', DOCS / 'write_a_scenario.md'


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf'```{language}\n(.*?)```', page.read_text(), re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Every call of alpamayo in a page, in words."""
    lines = '\n'.join(blocks(page, 'bash')).replace('\\\n', ' ').splitlines()
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in split if words and words[0].endswith('bin/alpamayo')]


CALLS = [pytest.param(c, id=' '.join(c)) for p in (DRIVE, SCENARIO) for c in commands(p)]


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words lead to, and its arguments."""
    command, rest = _load(words[0]), words[1:]
    while rest and rest[0] in getattr(command, 'commands', {}):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


@pytest.mark.parametrize('words', CALLS)
def test_a_command_parses_as_it_is_written(words: list[str]):
    command, arguments = leaf(words)
    context = command.make_context(command.name, list(arguments))  # UsageError where it does not
    assert not context.args and not getattr(command, 'commands', {})


def test_a_wrong_option_would_be_found():
    command, _ = leaf(['replay'])
    with pytest.raises(Exception, match='No such option'):
        command.make_context('replay', ['drive.mcap', '--agianst', 'a.json'])


def test_there_are_commands_to_check():
    assert len(commands(DRIVE)) >= 10 and len(commands(SCENARIO)) >= 6


def test_the_scenario_of_the_tutorial_is_valid_and_names_every_key():
    (block,) = blocks(SCENARIO, 'yaml')
    scenario = Scenario.model_validate(yaml.safe_load(block))
    assert f'my_suite/{scenario.name}.yaml' in SCENARIO.read_text()
    assert {m[1] for m in re.finditer(r'^(\w+):', block, re.MULTILINE)} == set(
        Scenario.model_fields
    )


@pytest.mark.parametrize('part', [Start, Traffic, RoadShape, Looks], ids=lambda p: p.__name__)
def test_the_parts_of_a_scenario_are_named(part: Any):
    text = SCENARIO.read_text()
    assert [name for name in part.model_fields if f'`{name}`' not in text] == []


def test_every_actor_vehicle_verdict_and_score_is_named():
    text = SCENARIO.read_text()
    kinds = [
        get_args(m.model_fields['kind'].annotation)[0] for m in get_args(get_args(AnyActor)[0])
    ]
    wanted = [f'| `{name}` |' for name in (*kinds, *get_args(Verdict))]
    wanted += [f'`{name}`' for name in ('scene_score', 'drive_score', 'km_per_incident')]
    assert [w for w in wanted if w not in text] == []
    assert [v for v in get_args(Vehicle) if f'{v}`' not in text] == []
    assert {'scene_score', 'drive_score', 'km_per_incident'} <= set(FIGURES)


def test_the_tolerances_of_the_tutorial_are_valid():
    (block,) = blocks(DRIVE, 'yaml')
    found = yaml.safe_load(block)
    assert set(found) <= set(METRICS)
    assert all(Tolerance.model_validate(value) for value in found.values())


def test_exit_codes_are_those_of_the_command():
    from alpamayo_ros.statuses import Status

    codes = {int(c) for c in re.findall(r'^\| (\d+) \|', DRIVE.read_text(), re.MULTILINE)}
    assert codes == set(Status) - {Status.INTERNAL}
