"""Views that are frozen see every frame once; the driver behind them learns."""

import json
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from stream_toy import FRAMES, Parts, shard

from alpamayo_ros.cli.training.stream import settings_of
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.features import kept, kept_tokens, view_features
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.dense_loss import Heads
from alpamayo_ros.training.stream.losses import Objective
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import Losses, Settings
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.steering import Steering
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer

FOLDER = share_dir() / 'config' / 'training'
RECIPES = sorted(p for name in ('stream*.yaml', 'rl*.yaml') for p in FOLDER.glob(name))
NO_READINGS = Losses(plan=3.0, text=0.2, feasible=0.02, single=0.0, fused=0.0)


@pytest.fixture
def frozen(parts: Parts) -> Settings:
    """Toy settings with frozen views."""
    return parts.settings.model_copy(update={'views': 'frozen', 'losses': NO_READINGS})


@pytest.fixture
def tokens(parts: Parts, model: VLA) -> Ring:
    """A ring that keeps the tokens of two drives."""
    model.views.eval()
    made = Ring(256, parts.profile, parts.grammar, torch.device('cpu'), kept_tokens(model))
    for value in (10, 200):
        made.add(*shard(parts, value))
    return made


@pytest.fixture
def clock(frozen: Settings) -> Clock:
    """A clock that has just begun."""
    return Clock(frozen, 0.0, time.monotonic(), 1e-3)


def test_a_ring_of_frozen_views_keeps_what_they_say_of_each_frame(
    parts: Parts, model: VLA, tokens: Ring
) -> None:
    images, _ = shard(parts, 200)
    said = view_features(model, images, block=5)
    assert said.dtype == torch.float16 and said.shape == tokens.seen['tokens'][:FRAMES].shape
    held = tokens.seen['tokens']
    assert torch.allclose(held[FRAMES : 2 * FRAMES].float(), said.float(), atol=2e-2)
    batch = tokens.gather(torch.tensor([FRAMES + 3]))
    assert 'images' not in batch and torch.equal(batch['tokens'][0], held[[15, 14, 13, 12]])


def test_only_the_driver_learns(
    parts: Parts, model: VLA, tokens: Ring, frozen: Settings, clock: Clock, tmp_path: Path
) -> None:
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    made = Trainer(Start(model, parts.grammar, frozen, Together(), tmp_path, False))
    made.begin(tokens)
    assert made.descend(tokens, clock, False)
    found = made.figures()
    assert found['text'] > 0 and not {'single', 'fused', 'lights'} & set(found)
    made.publish(tokens)
    written = load_file(tmp_path / json.loads((tmp_path / 'policy.json').read_text())['file'])
    views = [name for name in begins if name.startswith('views.')]
    assert any('running_mean' in name for name in views)  # statistics of pictures stay as well
    assert all(torch.equal(written[name], begins[name]) for name in views)
    assert not torch.equal(written['cross.slot'], begins['cross.slot'])


def test_of_blocks_the_stem_is_frozen_and_a_ring_keeps_what_it_says(
    parts: Parts, model: VLA, clock: Clock, tmp_path: Path
) -> None:
    model.views.eval()
    made = Ring(256, parts.profile, parts.grammar, torch.device('cpu'), kept('blocks', model))
    images, table = shard(parts, 200)
    made.add(images, table)
    batch = made.gather(torch.tensor([3]))
    assert 'images' not in batch
    with torch.no_grad():
        again = model.patch_tokens(batch['patches'].float())
        plain = model.view_tokens(torch.from_numpy(images[3:4]))
    assert torch.allclose(again, plain, atol=2e-2)
    assert torch.allclose(batch['tokens'][:, 0].float(), plain, atol=2e-2)
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    settings = parts.settings.model_copy(update={'views': 'blocks'})
    trainer = Trainer(Start(model, parts.grammar, settings, Together(), tmp_path, False))
    trainer.begin(made)
    assert trainer.descend(made, clock, False) and trainer.figures()['single'] > 0
    ends = trainer.publish(made).state_dict()
    stem = [name for name in begins if name.startswith('views.stem.')]
    assert any('running_mean' in name for name in stem)
    assert all(torch.equal(ends[name], begins[name]) for name in stem)
    for name in ('views.position', 'views.query', 'cross.slot'):
        assert not torch.equal(ends[name], begins[name])


def test_a_step_leaves_behind_what_views_that_learn_see_now(parts: Parts, model: VLA) -> None:
    model.views.eval()
    made = Ring(64, parts.profile, parts.grammar, torch.device('cpu'), kept('blocks', model))
    images, table = shard(parts, 200)
    made.add(images, table)
    with torch.no_grad():
        model.views.norm.bias += 0.5
    silence = torch.tensor(prefix_ids(parts.grammar.tokenizer, '', '', 4))
    objective = Objective(model, Heads(model), parts.settings.losses, silence)
    before, batch = made.seen['tokens'].clone(), made.gather(torch.tensor([5]))
    assert torch.equal(batch['tokens'][0], before[[5, 4, 3, 2]])
    objective.losses(batch, False)
    made.renew(batch)
    with torch.no_grad():
        now = model.view_tokens(torch.from_numpy(images[5:6]))
    assert torch.allclose(made.seen['tokens'][5].float(), now[0], atol=2e-2)
    assert not torch.allclose(before[5].float(), now[0], atol=2e-2)
    others = torch.arange(len(before)) != 5
    assert torch.equal(made.seen['tokens'][others], before[others])
    for _ in range(64 // len(images) + 1):
        made.add(images, table)
    taken = made.seen['tokens'].clone()
    made.renew(batch)
    assert torch.equal(made.seen['tokens'], taken), 'another shard has the slot'


def test_pictures_are_kept_where_all_of_the_views_learns(model: VLA) -> None:
    assert kept('trained', model) is None


@pytest.mark.parametrize('recipe', RECIPES, ids=lambda path: path.stem)
def test_every_recipe_can_be_read(recipe: Path) -> None:
    settings = settings_of(recipe.stem, {})
    assert settings.losses.plan > 0 and settings.first_rows < settings.ring


def test_a_reading_that_would_teach_nothing_is_refused() -> None:
    losses = {'plan': 3.0, 'text': 0.2, 'feasible': 0.0, 'single': 0.4, 'fused': 0.0}
    file = share_dir() / 'config' / 'training' / 'stream_two_cores.yaml'
    with pytest.raises(ConfigError, match='losses.single'):
        Settings.from_file(file, losses=losses)


def test_simulators_are_told_to_wait(parts: Parts, tmp_path: Path) -> None:
    steering = Steering(tmp_path, parts.settings)
    for wait in (True, False):
        steering.steer([], True, wait)
        assert json.loads((tmp_path / 'control.json').read_text())['wait'] is wait
