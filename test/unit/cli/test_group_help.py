"""``alpamayo GROUP --help``: what the group is for, an example, and no option of another kind."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from alpamayo_ros.cli import main

GROUPS = ('bench', 'data', 'engine', 'key', 'model', 'rig', 'security')


def called(*words: str) -> Result:
    """What a terminal of 80 columns shows of a command."""
    return CliRunner(env={'COLUMNS': '80'}).invoke(main.app, words, prog_name='alpamayo')


@pytest.mark.parametrize('name', [*GROUPS, 'up'])
def test_a_group_teaches_by_an_example(name: str) -> None:
    shown = called(name, '--help').stdout
    said = shown.partition('╭')[0]
    assert said.count(f'alpamayo {name} ') >= 2, said  # the usage, and an example
    assert 'completion' not in shown and '``' not in shown
    assert max(map(len, shown.splitlines())) <= 80


def commands(group: Any = None, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, by its words."""
    group = group or typer.main.get_command(main.app)
    for name in group.list_commands(None):
        found = main._load(name) if not names else group.get_command(None, name)
        if hasattr(found, 'list_commands'):
            yield from commands(found, (*names, name))
        else:
            yield (*names, name)


@pytest.mark.parametrize('words', list(commands()), ids=' '.join)
def test_a_terminal_of_80_columns_shows_every_option_whole(words: tuple[str, ...]) -> None:
    shown = called(*words, '--help').stdout
    assert 'Usage: alpamayo' in shown and '…' not in shown


def test_the_commands_of_groups_are_among_them() -> None:
    found = set(commands())
    assert {('data', 'log', 'check'), ('model', 'faithfulness'), ('bench', 'gpu')} <= found


def short_lines(paragraph: list[str]) -> list[str]:
    """Lines to which the first word of the next one could still have been added."""
    pairs = zip(paragraph, paragraph[1:], strict=False)
    return [line for line, after in pairs if len(line) + 1 + len(after.split()[0]) < 79]


@pytest.mark.parametrize('words', list(commands()), ids=' '.join)
def test_a_paragraph_is_as_wide_as_the_terminal(words: tuple[str, ...]) -> None:
    shown = called(*words, '--help').stdout
    lines = [line.rstrip() for line in shown.partition('╭')[0].splitlines()]
    for paragraph in '\n'.join(lines).strip().split('\n\n'):
        assert short_lines(paragraph.splitlines()) == []


@pytest.mark.parametrize('name', GROUPS)
def test_a_bare_group_is_its_help_and_a_wrong_use(name: str) -> None:
    done = called(name)
    assert done.exit_code == 2 and f'Usage: alpamayo {name}' in done.output
