"""A run goes on from weights of its own profile alone."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from safetensors import SafetensorError  # noqa: E402

from alpamayo_ros.cli import main  # noqa: E402
from alpamayo_ros.statuses import ConfigError  # noqa: E402
from alpamayo_ros.training import checkpoint  # noqa: E402
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


@pytest.mark.parametrize('name', ['resume.safetensors', 'optimiser.safetensors'])
def test_a_disk_that_takes_no_more_names_the_file_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(tensors: object, file: Path, meta: object = None) -> None:
        """As safetensors ends on a full disk: half of the file is there."""
        if file.name == Path(name).with_suffix('.partial').name:
            file.write_bytes(b'half')
            raise SafetensorError('Error while serializing: I/O error: No space (os error 28)')
        written(tensors, file, meta)

    written, model = checkpoint.save_file, part(3)
    state = Resumable(tmp_path, model, torch.optim.AdamW(model.parameters()))
    model(torch.ones(1, 2)).sum().backward()
    state.optimiser.step()
    state.save({'step': 1.0})
    monkeypatch.setattr(checkpoint, 'save_file', full)
    with pytest.raises(OSError, match='No space left on device') as refused:
        state.save({'step': 2.0})
    assert refused.value.filename == str(tmp_path / name)
    assert not list(tmp_path.glob('*.partial'))
    assert state.restore() == {'step': 1.0}


def test_a_damaged_optimiser_is_named_with_what_to_delete(tmp_path: Path) -> None:
    state = Resumable(tmp_path, part(3), torch.optim.AdamW(part(3).parameters()))
    state.save({'step': 1.0})
    (tmp_path / 'optimiser.safetensors').write_bytes(b'cut off')
    with pytest.raises(ConfigError, match='optimiser.safetensors is damaged.*delete .*counters'):
        state.restore()
