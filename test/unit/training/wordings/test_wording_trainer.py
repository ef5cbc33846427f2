"""The stage: another wording comes to mean what the known one means, and all else stays."""

import json
import time
from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import numpy as np
import stream_toy
import torch
from stream_toy import Parts, shard
from typer.testing import CliRunner

from alpamayo_ros.cli.train import app
from alpamayo_ros.cli.training import exam as command
from alpamayo_ros.cli.training import exam_wordings as command_of_wordings
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation.driving_wish import known_wording, wordings
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.checkpoint import save_weights
from alpamayo_ros.training.exam import understood as exam_of_wordings
from alpamayo_ros.training.exam.held_out import groups, held_out
from alpamayo_ros.training.exam.understood import Understood, by_wish, every
from alpamayo_ros.training.features import kept_tokens
from alpamayo_ros.training.shards.integrity import seal
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.fake_int8 import Int8Linear
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import HEADS, Settings
from alpamayo_ros.training.stream.stages import trainer_of
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.vocabulary import write_vocabulary
from alpamayo_ros.training.wordings.trainer import KNOWN, WordingTrainer

RECIPE = share_dir() / 'config' / 'training' / 'wordings.yaml'


@pytest.fixture(scope='module')
def parts() -> Parts:
    made = stream_toy.parts()
    text = made.profile.text.model_copy(update={'max_prefix': 48})
    profile = made.profile.model_copy(update={'text': text})
    own = Settings.from_file(RECIPE, batch=4, warm_up_steps=1, norm_batches=1)
    asked = own.wordings.model_copy(update={'asked': 0.75})
    settings = own.model_copy(update={'wordings': asked})
    return Parts(profile, made.grammar, settings)


@pytest.fixture
def model(parts: Parts) -> VLA:
    """A fresh tiny model whose denoiser says something and goes by what was asked."""
    torch.manual_seed(0)
    made = VLA(parts.profile)
    with torch.no_grad():
        for parameter in made.dit.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return made


@pytest.fixture
def ring(parts: Parts, model: VLA) -> Ring:
    made = Ring(256, parts.profile, parts.grammar, torch.device('cpu'), kept_tokens(model.eval()))
    for value in (10, 90, 200):
        images, table = shard(parts, value)
        made.add(images, table | {'speed': np.linspace(2, 8, 9, dtype=np.float32)})
    return made


def trainer(parts: Parts, model: VLA, root: Path) -> WordingTrainer:
    made = trainer_of(Start(model, parts.grammar, parts.settings, Together(), root, False))
    assert isinstance(made, WordingTrainer)
    return made


def clock(parts: Parts) -> Clock:
    day = parts.settings.model_copy(update={'seconds': 86_400.0})
    return Clock(day, 0.0, time.monotonic(), 2e-3)


def test_other_wordings_come_nearer_and_nothing_but_the_backbone_moves(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    made, hour = trainer(parts, model, tmp_path), clock(parts)
    plans = []
    for _ in range(4):
        for _ in range(10):
            assert made.descend(ring, hour, False)
        found = made.figures()
        plans.append(found['plan'])
        assert found['words'] >= 0 and 0 <= found['other_words'] <= 1 and found['ade_6s'] > 0
    assert plans[-1] < 0.8 * plans[0]
    now = model.state_dict()
    moved = {k.split('.')[0] for k in now if not torch.equal(now[k], begins[k])}
    assert moved == {'backbone'}


def test_nothing_is_lost_where_nothing_is_said_differently(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    silent = parts.settings.wordings.model_copy(update={'asked': 0.0})
    settings = parts.settings.model_copy(update={'wordings': silent})
    made = trainer(Parts(parts.profile, parts.grammar, settings), model, tmp_path)
    _, found = made._losses(ring)
    assert found['words'].item() == pytest.approx(0, abs=1e-3)
    assert found['plan'].item() == pytest.approx(0, abs=1e-4)


def test_a_run_in_int8_learns_what_its_copy_says_in_float(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    silent = parts.settings.wordings.model_copy(update={'asked': 0.0})
    settings = parts.settings.model_copy(update={'wordings': silent, 'quantise': 'int8'})
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    made = trainer(Parts(parts.profile, parts.grammar, settings), model, tmp_path)
    assert any(isinstance(m, Int8Linear) for m in made.model.modules())
    assert not any(isinstance(m, Int8Linear) for m in made._known.modules())
    _, found = made._losses(ring)
    assert found['plan'].item() > 1e-5  # nobody asks, so this is what rounding does
    assert made.descend(ring, clock(parts), False)
    now = model.state_dict()
    moved = {k.split('.')[0] for k in now if not torch.equal(now[k], begins[k])}
    assert moved == {'backbone', 'dit'}


def test_who_goes_on_is_taught_by_what_the_run_began_with(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    first = trainer(parts, model, tmp_path)
    for _ in range(2):
        first.descend(ring, clock(parts), False)
    first.publish(ring)
    first.save(3.0, 27)
    assert (tmp_path / KNOWN).is_file() and not (tmp_path / HEADS).exists()
    second = trainer(parts, VLA(parts.profile), tmp_path)
    assert second.restore()['step'] == 2
    third = trainer(parts, second.model, tmp_path / 'further')
    assert third.restore(tmp_path) == {}
    for made in (second, third):
        known = made._known.state_dict()
        assert all(torch.equal(known[k], begins[k]) for k in begins)
    assert not torch.equal(third.model.backbone.norm.weight, begins['backbone.norm.weight'])
    assert (tmp_path / 'further' / KNOWN).read_bytes() == (tmp_path / KNOWN).read_bytes()


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'stage': 'dagger'}, 'stage: wordings and the part wordings belong together'),
        ({'views': 'trained'}, 'behind views: frozen'),
        ({'losses': dict.fromkeys(('plan', 'text', 'feasible', 'single', 'fused'), 0.0)
          | {'text': 0.2}}, 'all losses have to be 0'),
    ],
)  # fmt: skip
def test_a_recipe_that_contradicts_itself_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings.from_file(RECIPE, **changes)


def some_wordings(split: str) -> list[tuple[str, str]]:
    """The known wording of each wish and one more."""
    found = wordings(split)
    return [
        pair
        for name in dict(found)
        for pair in [pair for pair in found if pair[0] == name][: 2 if split == 'train' else 1]
    ]


@pytest.fixture
def run(parts: Parts, model: VLA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder with weights and a drive that was held out; few wordings are asked."""
    monkeypatch.setattr(exam_of_wordings, 'wordings', some_wordings)
    root = tmp_path / 'run'
    folder = root / 'rank_0' / 'held_out' / '000_10000_000012'
    folder.mkdir(parents=True)
    images, table = shard(parts, 40)
    np.save(folder / 'frames.npy', images)
    np.savez(folder / 'samples.npz', **table)
    seal(folder, {'by': 'policy', 'family': 'fog'})
    write_vocabulary(parts.grammar, root)
    (root / 'rank_0' / 'settings.json').write_text(parts.settings.model_dump_json())
    save_weights(root / 'model.safetensors', model)
    return root


def test_every_drive_gives_some_states(parts: Parts, model: VLA, run: Path) -> None:
    few = every(groups(held_out(run), model.eval(), parts.grammar), 4, 1)
    (all_of_it,) = every(groups(held_out(run), model, parts.grammar), 100, 1)
    assert len(few[0].rows['speed']) == 4 and len(all_of_it.rows['speed']) == 9
    ends = few[0].rows['slot'][[0, -1]].tolist()
    assert ends == all_of_it.rows['slot'][[0, -1]].tolist()


def test_shares_are_of_wordings_but_the_known_one() -> None:
    known, others = known_wording('fog'), ('a', 'b')
    found = [Understood('fog', known, 'train', 1.0, 2)]
    found += [Understood('fog', w, 'train', s, 2) for w, s in zip(others, (0.5, 0.7), strict=True)]
    rows = by_wish(found)
    assert rows['fog']['train'].mean == pytest.approx(0.6) and rows['fog']['held_out'] is None


def test_the_command_says_what_is_understood_least(
    parts: Parts, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, 'profile_of', lambda name: parts.profile)
    monkeypatch.setattr(command_of_wordings, 'STATES', 2)
    monkeypatch.setattr(exam_of_wordings, 'MOVES_M', 1e-6)  # what a toy says hardly matters
    out = tmp_path / 'deep' / 'wordings.json'
    words = ['exam', str(run), '--wordings', '--json', str(out)]
    done = CliRunner().invoke(app, words, env={'COLUMNS': '200'})
    assert done.exit_code == 0, done.output
    assert 'least understood of the held-out ones' in done.output and 'talk' in done.output
    (record,) = json.loads(out.read_text())
    asked = {one['wording']: one for one in record['wordings']}
    assert len(asked) == len(some_wordings('train')) + len(some_wordings('held_out')) == 15
    for name in {name for name, _ in wordings('train')} - {'talk'}:
        one = asked[known_wording(name)]
        assert one['share'] == pytest.approx(1.0, abs=1e-4) and one['states'] == 2
    assert len({round(one['share'], 4) for one in asked.values()}) > 8


def test_all_held_out_wordings_are_asked_and_some_of_training() -> None:
    asked = {split: list(exam_of_wordings._asked(split)) for split in ('train', 'held_out')}
    assert asked['held_out'] == wordings('held_out')
    few, most = asked['train'], exam_of_wordings.MOST_TRAINED
    counts = {name: len([n for n, _ in few if n == name]) for name, _ in wordings('train')}
    assert 'talk' in counts and all(most // 2 < count <= most for count in counts.values())
    assert set(few) < set(wordings('train'))
    for name in set(counts) - {'talk'}:
        assert (name, known_wording(name)) in few
