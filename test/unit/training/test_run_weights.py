"""A run goes on from weights of its own profile alone."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.cli import main  # noqa: E402
from alpamayo_ros.statuses import ConfigError  # noqa: E402
from alpamayo_ros.training.checkpoint import Resumable, load_fitting, save_weights  # noqa: E402


def part(*sizes: int) -> torch.nn.Module:
    return torch.nn.Sequential(*(torch.nn.Linear(2, size, bias=False) for size in sizes))


def test_weights_of_another_profile_are_refused_before_anything_is_collected(
    tmp_path: Path,
) -> None:
    save_weights(tmp_path / 'model.safetensors', part(3))
    done = CliRunner().invoke(main.app, ['train', 'run', '--root', str(tmp_path)])
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1, done.output
    assert f"{tmp_path}/model.safetensors holds another model than the profile's" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ['model.safetensors']


@pytest.mark.parametrize(
    ('sizes', 'said'),
    [
        ((4,), r'0\.weight has the shape \[3, 2\], expected \[4, 2\]'),
        ((3, 5), r'1\.weight is missing'),
        ((), r'0\.weight is unknown'),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(
    tmp_path: Path, sizes: tuple[int, ...], said: str
) -> None:
    save_weights(tmp_path / 'a.safetensors', part(3))
    with pytest.raises(ConfigError, match=said):
        load_fitting(tmp_path / 'a.safetensors', part(*sizes))


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / 'a.safetensors').write_bytes(b'cut off')
    with pytest.raises(ConfigError, match='a.safetensors is damaged'):
        load_fitting(tmp_path / 'a.safetensors', part(3))


def test_an_interrupted_step_goes_on_with_its_own_model(tmp_path: Path) -> None:
    (tmp_path / 'counters.json').write_text('{}')
    save_weights(tmp_path / 'resume.safetensors', part(3))
    with pytest.raises(ConfigError, match='holds another model'):
        Resumable(tmp_path, part(4), Mock()).restore()
