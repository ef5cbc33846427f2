"""Finished steps that a recipe describes otherwise by now, unwritten logs, the other's recipes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.cli import main

STEP = '{{name: {0}, do: collect_expert, seeds: [10000, {1}], families: [random], minutes: {2}}}'


def train(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main.app, ['train', *words], env={'COLUMNS': '300'})
    return done.exit_code, done.output + done.stderr


@pytest.fixture
def run(tmp_path: Path) -> list[str]:
    """Words for a run whose steps are all done: as the recipe says, with other values, by hand."""
    recipe, root = tmp_path / 'r.yaml', tmp_path / 'run'
    steps = [STEP.format(name, 10009, 2) for name in ('same', 'other', 'older', 'touched')]
    recipe.write_text('profile: nano\nsteps:\n' + ''.join(f'  - {s}\n' for s in steps))
    root.mkdir()
    then = {'seeds': [10000, 10009], 'minutes': 7.31, 'threads': 2}
    markers = {
        'same': json.dumps(then | {'minutes_asked': 2.0}),
        'other': json.dumps(then | {'minutes_asked': 3.0, 'seeds': [10000, 10005]}),
        'older': json.dumps(then),
        'touched': '',
    }
    for name, text in markers.items():
        (root / f'{name}.done').write_text(text)
    return ['--recipe', str(recipe), '--root', str(root)]


def test_steps_done_with_other_values_are_named_and_not_repeated(run: list[str]) -> None:
    status, said = train('run', *run)
    change = 'other (seeds [10000, 10005], now [10000, 10009], minutes 3.0, now 2.0)'
    assert status == 0 and f'done with other values, and not repeated: {change}' in said
    assert not any(name in said for name in ('same', 'older', 'touched', '=='))


@pytest.mark.parametrize(('text', 'said'), [('{"min', 'no valid JSON'), ('[]', 'got list')])
def test_a_damaged_marker_is_named(run: list[str], text: str, said: str) -> None:
    marker = Path(run[-1]) / 'other.done'
    marker.write_text(text)
    status, told = train('run', *run)
    assert status == 2 and f'{marker} is damaged: ' in told and said in told


def test_a_step_that_was_ended_at_its_start_has_a_status(run: list[str]) -> None:
    train('run', *run)
    (Path(run[-1]) / 'same').mkdir()
    (Path(run[-1]) / 'same' / 'log.jsonl').write_text('')
    status, said = train('status', *run)
    assert status == 0 and 'same' in said


@pytest.mark.parametrize(
    ('command', 'recipe', 'other'),
    [('run', 'stream', 'stream'), ('run', 'rl_toy', 'stream'), ('stream', 'nano', 'run')],
)
def test_a_recipe_of_the_other_command_is_sent_there(
    tmp_path: Path, command: str, recipe: str, other: str
) -> None:
    status, said = train(command, '--recipe', recipe, '--root', str(tmp_path / 'run'))
    assert status == 2 and not (tmp_path / 'run').exists()
    assert f'is a recipe of another command: alpamayo train {other} --recipe {recipe}' in said


def test_an_unknown_recipe_lists_those_of_its_command() -> None:
    assert 'nano' in train('run', '--recipe', 'xyz')[1]
    said = train('stream', '--recipe', 'xyz')[1]
    assert 'stream_toy' in said and 'nano' not in said
