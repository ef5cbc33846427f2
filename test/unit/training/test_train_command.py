"""Mistakes in a recipe, or of who types its name, are said in one sentence."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import torch
from safetensors.torch import save_file

from alpamayo_ros.cli import main
from alpamayo_ros.cli.common.alone import alone
from alpamayo_ros.cli.train import app
from alpamayo_ros.profile import share_dir
from alpamayo_ros.training.steps.recipe import Recipe

STEP = '  - {name: a, do: collect_expert, seeds: [10000, 10001], families: [winding_road]}\n'


def said(recipe: Path, *words: str) -> str:
    """What the refused command prints; it ends with status 2 and begins nothing."""
    command = ['run', '--root', str(recipe.parent / 'run'), '--recipe', str(recipe), *words]
    done = CliRunner().invoke(app, command, env={'COLUMNS': '400'})
    assert done.exit_code == 2 and isinstance(done.exception, SystemExit), done.output
    assert not (recipe.parent / 'run').exists(), 'a refusal leaves nothing behind'
    return done.output


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('a: [\n', 'r.yaml:2: no valid YAML'),
        ('profile: nano\nsteps: []\nextra: 1\n', 'extra'),
        ('profile: nano\nsteps:\n' + STEP.replace(', families: [winding_road]', ''), 'families'),
        ('profile: nano\nsteps: []\n', 'r.yaml:2: steps: a recipe wants at least one step'),
        ('profile: nano\nsteps:\n' + STEP + STEP, "r.yaml:4: steps.1.name: 'a' is the name of"),
    ],
)
def test_a_wrong_recipe_is_named_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    recipe = tmp_path / 'r.yaml'
    recipe.write_text(text)
    output = said(recipe)
    assert 'r.yaml:' in output and words in output


@pytest.mark.parametrize(
    ('before', 'after', 'words'),
    [
        ('name: a', 'name: ../../outside', "'../../outside' cannot name files of the run"),
        ('name: a', 'name: heads', 'none of data, heads, model'),
        ('10001]', '10001], shards: 0', 'steps.0.shards: input should be greater than or equal'),
        ('10001]', '10001], shards: -3', 'got -3'),
        ('10001]', '10001], shards: 2', 'has 1 seeds for 2 shards'),
        ('seeds: [10000, 10001], ', '', "step 'a' collects, so it wants seeds: [FIRST, END]"),
        ('[10000, 10001]', '[9, 3]', 'got [9, 3], which holds none'),
        ('[10000, 10001]', '[-5, 3]', 'got [-5, 3]'),
        ('[10000, 10001]', '[0, 20]', 'seed 0 belongs to evaluation'),
        ('[10000, 10001]', '[10000, 10001], peak: .nan', 'steps.0.peak: input should be'),
        ('[10000, 10001]', '[10000, 10001], peak: -1.0', 'steps.0.peak: input should be'),
        ('[10000, 10001]', '[10000, 10001], minutes: .inf', 'steps.0.minutes: input should be'),
        ('winding_road', 'winding_rod', "no family 'winding_rod'; did you mean winding_road?"),
        ('winding_road', 'randm', "no family 'randm'; did you mean random?"),
        ('winding_road', 'town_drive', "town_drive is on the map 'town'"),
        ('collect_expert', 'encoder', "step 'a' trains, so it wants data"),
    ],
)
def test_a_step_that_means_nothing_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    recipe = tmp_path / 'r.yaml'
    recipe.write_text('profile: nano\nsteps:\n' + STEP.replace(before, after))
    output = said(recipe)
    assert 'r.yaml:3: steps.0' in output and words in output


def test_every_recipe_of_steps_that_ships_is_taken() -> None:
    files = sorted((share_dir() / 'config' / 'training').glob('*.yaml'))
    found = [Recipe.from_file(f) for f in files if '\nsteps:' in f.read_text()]
    assert found and all(recipe.steps for recipe in found)


def test_random_worlds_and_scenario_files_are_families(tmp_path: Path) -> None:
    own, recipe = tmp_path / 'own.yaml', tmp_path / 'r.yaml'
    own.write_text((share_dir() / 'config' / 'scenarios' / 'winding_road.yaml').read_text())
    step = STEP.replace('[winding_road]', f'[winding_road, random, {own}]')
    recipe.write_text('profile: nano\nsteps:\n' + step)
    assert Recipe.from_file(recipe).steps[0].families == ('winding_road', 'random', str(own))


def test_a_step_that_is_not_there_is_refused_before_the_first_runs(tmp_path: Path) -> None:
    recipe = tmp_path / 'r.yaml'
    recipe.write_text('profile: nano\nsteps:\n' + STEP)
    assert 'the recipe has the steps a' in said(recipe, '--until', 'b')


def test_the_status_of_a_run_that_has_not_begun_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'typo').mkdir()
    (tmp_path / 'typo' / 'tokenizer.json').write_text('')
    for name, sentence in (
        ('tpyo', 'no run in {}; did you mean typo? (expected a folder with tokenizer.json;'),
        ('other', 'no run in {} (expected a folder with tokenizer.json; alpamayo train run'),
    ):
        done = CliRunner().invoke(main.app, ['train', 'status', '--root', str(tmp_path / name)])
        assert done.exit_code == 2 and sentence.format(tmp_path / name) in done.stderr
        assert not (tmp_path / name).exists()


def test_the_status_of_a_run_that_has_begun_is_a_table_and_writes_nothing(tmp_path: Path) -> None:
    recipe, root = tmp_path / 'r.yaml', tmp_path / 'run'
    recipe.write_text('profile: nano\nsteps:\n' + STEP)
    root.mkdir()
    (root / 'a.done').write_text('{}')
    begin = CliRunner().invoke(app, ['run', '--recipe', str(recipe), '--root', str(root)])
    assert begin.exit_code == 0, begin.output
    assert begin.output.strip() == f'{root}: 1 of 1 steps of {recipe} are done'
    written = ['a.done', 'data', 'grammar.json', 'tokenizer.json']
    assert sorted(p.name for p in root.iterdir()) == written
    (root / 'grammar.json').unlink()
    done = CliRunner().invoke(app, ['status', '--root', str(root)], env={'COLUMNS': '200'})
    assert done.exit_code == 0 and 'collect_expert' in done.output
    assert re.search(r'run: 0 of \d+ steps of \S+/config/training/nano.yaml are done', done.output)
    assert sorted(p.name for p in root.iterdir()) == ['a.done', 'data', 'tokenizer.json']


def test_a_status_says_what_was_done_otherwise_and_what_comes_next(tmp_path: Path) -> None:
    recipe, root = tmp_path / 'r.yaml', tmp_path / 'run'
    recipe.write_text('profile: nano\nsteps:\n' + STEP)
    root.mkdir()
    (root / 'a.done').write_text('{"families": ["stopped_car"]}')
    words = ['--recipe', str(recipe), '--root', str(root)]
    assert CliRunner().invoke(app, ['run', *words]).exit_code == 0
    (root / 'model.safetensors').write_text('')
    done = CliRunner().invoke(app, ['status', *words])
    assert f'1 of 1 steps of {recipe} are done; alpamayo export {root} --to' in done.stdout
    assert "a (families ['stopped_car'], now ['winding_road'])" in done.stderr


def test_two_commands_do_not_train_in_one_folder(tmp_path: Path) -> None:
    recipe, root = tmp_path / 'r.yaml', tmp_path / 'run'
    recipe.write_text('profile: nano\nsteps:\n' + STEP)
    with alone(root):
        (root / 'a.done').write_text('{}')
        words = ['train', 'run', '--recipe', str(recipe), '--root', str(root)]
        done = CliRunner().invoke(main.app, words)
        assert done.exit_code == 2 and 'another command writes to it now' in str(done.stderr)
        assert [p.name for p in root.iterdir()] == ['a.done']


def test_a_run_without_weights_is_not_evaluated(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ['evaluate', str(tmp_path)])
    assert done.exit_code == 2 and not (tmp_path / 'val.json').exists()


def test_a_stream_says_what_is_wrong_before_anything_starts(tmp_path: Path) -> None:
    recipe, root = tmp_path / 'r.yaml', tmp_path / 'run'
    recipe.write_text('profile: nano\nspeed: 3\n')
    known = share_dir() / 'config' / 'training' / 'stream_two_cores.yaml'
    blocks = tmp_path / 'blocks.yaml'
    blocks.write_text(known.read_text().replace('views: frozen', 'views: blocks'))
    nano = (share_dir() / 'config' / 'profiles' / 'nano.yaml').read_text()
    vit = nano.replace('stem: conv', 'trunk: vit, stem: patch, pool: [2, 2]')
    (tmp_path / 'vit.yaml').write_text(re.sub(r'tokens: \d+', 'tokens: 4', vit))
    family = tmp_path / 'family.yaml'
    family.write_text(blocks.read_text().replace('profile: nano', f'profile: {tmp_path}/vit.yaml'))
    for words, said in [
        (['--recipe', str(blocks)], 'views: blocks needs views that see: --from a model'),
        (['--recipe', str(family)], 'nano has no convolutional stem, which views: blocks leaves'),
        (['--recipe', str(recipe)], "no key 'speed'"),
        (['--recipe', 'nowhere'], 'no recipe'),
        (['--from', str(tmp_path / 'none')], 'no weights there'),
        (['--from', str(recipe)], 'r.yaml holds no weights ('),
        (['--recipe', 'stream_two_cores'], 'needs views that see: --from a model'),
        (['--stage', 'rl'], 'needs views that see: --from a model'),
        (['--stage', 'rl', '--recipe', 'stream_toy'], 'take rl or rl_toy'),
        (['--stage', 'sft', '--recipe', 'rl_toy'], 'no use for the part rl'),
        (['--stage', 'wordings'], 'needs views that see: --from a model'),
        (['--stage', 'wordings', '--recipe', 'stream_toy'], 'the part wordings belong together'),
        (['--stage', 'dagger', '--recipe', 'wordings'], 'the part wordings belong together'),
    ]:
        done = CliRunner().invoke(
            app, ['stream', '--root', str(root), *words], env={'COLUMNS': '400'}
        )
        assert done.exit_code == 2 and said in done.output, done.output
    assert not root.exists()


@pytest.mark.parametrize(
    ('begun', 'words', 'said'),
    [
        ('{"views": "frozen"}', [], 'was begun with views: frozen, this says trained'),
        ('{"stage": "sft"}', [], 'was begun with stage: sft, this says dagger'),
        ('{"quantise": "int8"}', [], 'was begun with quantise: int8, this says none'),
        ('{}', ['--quantise', 'int8'], 'was begun with quantise: none, this says int8'),
        ('{}', ['--stage', 'sft'], 'was begun with stage: dagger, this says sft'),
    ],
)
def test_a_run_goes_on_as_it_began(
    tmp_path: Path, begun: str, words: list[str], said: str
) -> None:
    (tmp_path / 'rank_0').mkdir()
    (tmp_path / 'counters.json').write_text('{}')
    (tmp_path / 'rank_0' / 'settings.json').write_text(begun)
    command = ['stream', '--recipe', 'stream_toy', '--root', str(tmp_path), *words]
    done = CliRunner().invoke(app, command, env={'COLUMNS': '400'})
    assert done.exit_code == 2 and not (tmp_path / 'rank_0.pid').exists(), done.output
    assert said in done.output


def test_a_run_of_steps_and_a_stream_do_not_write_over_each_other(tmp_path: Path) -> None:
    steps, stream = tmp_path / 'steps', tmp_path / 'stream'
    (steps / 'data').mkdir(parents=True)
    (stream / 'rank_0').mkdir(parents=True)
    (stream / 'rank_0' / 'settings.json').write_text('{}')
    for words, said in (
        (
            ['stream', '--recipe', 'stream_toy', '--root', str(steps)],
            'a run of steps (it has data',
        ),
        (['run', '--root', str(stream)], 'is a stream; train stream goes on with it'),
    ):
        done = CliRunner().invoke(app, words, env={'COLUMNS': '400'})
        assert done.exit_code == 2 and said in done.output, done.output
    assert [p.name for p in steps.iterdir()] == ['data']
    assert [p.name for p in stream.iterdir()] == ['rank_0']


def test_a_ring_that_memory_cannot_hold_is_refused_and_begins_nothing(tmp_path: Path) -> None:
    begin = share_dir() / 'models' / 'nano'
    words = ['--recipe', 'stream_toy', '--ring', str(10**12), '--from', str(begin)]
    command = ['train', 'stream', '--root', str(tmp_path / 'run'), *words]
    done = CliRunner().invoke(main.app, command)
    assert done.exit_code == 6 and 'ring: 1000000000000 frames need ' in done.stderr
    assert not (tmp_path / 'run').exists()


def test_weights_of_another_model_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = SimpleNamespace(SummaryWriter=lambda folder: folder.mkdir(parents=True))
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', board)  # it is not installed
    save_file({'other': torch.zeros(2)}, tmp_path / 'w.safetensors')
    words = ['--recipe', 'stream_toy', '--from', str(tmp_path / 'w.safetensors'), '--tensorboard']
    command = ['train', 'stream', '--root', str(tmp_path / 'run'), *words]
    done = CliRunner().invoke(main.app, command, prog_name='alpamayo')
    assert done.exit_code == 2 and 'w.safetensors does not fit nano: ' in done.stderr
    assert len(done.stderr) < 500 and 'Traceback' not in done.stderr
    assert not (tmp_path / 'run').exists()


def test_own_words_are_said_to_have_no_effect_where_the_expert_drives_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / 'rank_0.pid').write_text('1')  # somebody trains there: nothing starts
    for stage, noted in (('sft', True), ('dagger', False)):
        words = ['stream', '--recipe', 'stream_toy', '--stage', stage, '--root', str(tmp_path)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert ('own_words 0.5 has no effect in stage sft' in done.stderr) == noted
