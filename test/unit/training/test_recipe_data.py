"""What a training step learns from is a step before it or shards that lie there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.cli import main
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.dataset import shard_folders
from alpamayo_ros.training.steps.recipe import Recipe
from alpamayo_ros.training.steps.run import Run

COLLECTED = ''.join(
    f'  - {{name: {name}, do: collect_expert, seeds: [10000, 10001], families: [random]}}\n'
    for name in ('clips', 'expert', 'validation')
)


def recipe(folder: Path, data: str, collected: str = COLLECTED) -> Path:
    file = folder / 'r.yaml'
    step = f'  - {{name: encoder_1, do: encoder, data: {data}}}\n'
    file.write_text(f'profile: nano\nsteps:\n{collected}{step}')
    return file


def opened(file: Path) -> Run:
    return Run(Recipe.from_file(file), file.parent / 'run', file)


def shard(folder: Path, name: str) -> None:
    (folder / 'run' / 'data' / name).mkdir(parents=True)
    (folder / 'run' / 'data' / name / 'meta.json').write_text('{}')


def test_a_misspelt_name_of_data_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = recipe(tmp_path, '[clips, exprt]')
    words = ['train', 'run', '--recipe', str(file), '--root', str(tmp_path / 'run')]
    done = CliRunner().invoke(main.app, words)
    assert done.exit_code == 2 and not (tmp_path / 'run').exists(), done.output
    assert f"{file}:6: step 'encoder_1' wants the shards 'exprt'" in done.stderr
    assert 'did you mean expert?' in done.stderr and len(done.stderr.splitlines()) == 1


def test_what_is_collected_later_is_not_there_in_time(tmp_path: Path) -> None:
    later = '  - {name: more, do: collect_expert, seeds: [10000, 10001], families: [random]}\n'
    file = recipe(tmp_path, '[more]')
    file.write_text(file.read_text() + later)
    with pytest.raises(ConfigError, match="'more'.*; there are clips, expert, validation"):
        opened(file).check()


def test_shards_made_by_hand_will_do_and_are_needed_when_their_step_comes(tmp_path: Path) -> None:
    run = opened(recipe(tmp_path, '[mine]', collected=''))
    with pytest.raises(ConfigError, match=r"'mine'.*data has not \(a finished mine-0\)$"):
        run.check()
    shard(tmp_path, 'mine-0')
    with pytest.raises(ConfigError, match="'validation'"):
        run.check()
    shard(tmp_path, 'validation-0')
    run.check()
    (tmp_path / 'run' / 'data' / 'mine-0' / 'meta.json').unlink()
    with pytest.raises(ConfigError, match="'mine'"):
        run.do(run.recipe.steps[0])


def test_data_is_asked_for_open_steps_up_to_the_last_one_wanted(tmp_path: Path) -> None:
    run = opened(recipe(tmp_path, '[exprt]'))
    run.check(until='expert')
    run.root.mkdir()
    (run.root / 'encoder_1.done').write_text('{}')
    run.check()


def test_a_name_takes_no_shards_of_a_longer_name(tmp_path: Path) -> None:
    for name in ('expert-0', 'expert-1', 'expert-more-0', 'experts-0'):
        shard(tmp_path, name)
    found = shard_folders(tmp_path / 'run' / 'data', ['expert'])
    assert [p.name for p in found] == ['expert-0', 'expert-1']
