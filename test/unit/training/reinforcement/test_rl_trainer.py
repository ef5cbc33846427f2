"""The stage steps, judges first, publishes what keeps its facts, refuses the rest, resumes."""

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from stream_toy import Parts

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.checkpoint import save_weights
from alpamayo_ros.training.reinforcement.exam import GROUP, Marks
from alpamayo_ros.training.reinforcement.trainer import REFERENCE, ReinforcementTrainer
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.stages import trainer_of
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.steering import Steering
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer

RECIPES = share_dir() / 'config' / 'training'


def trainer(parts: Parts, model: VLA, root: Path) -> ReinforcementTrainer:
    made = trainer_of(Start(model, parts.grammar, parts.settings, Together(), root, False))
    assert isinstance(made, ReinforcementTrainer)
    return made


@pytest.fixture
def clock(parts: Parts) -> Clock:
    """A clock that has just begun, of a run that no slow machine comes to the end of."""
    return Clock(
        parts.settings.model_copy(update={'seconds': 86_400.0}), 0.0, time.monotonic(), 1e-3
    )


def test_judges_learn_first_then_both_policies(
    parts: Parts, model: VLA, ring: Ring, clock: Clock, tmp_path: Path
) -> None:
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    made.publish(ring)
    for _ in range(2):
        assert made.descend(ring, clock, False)
    found = made.figures()
    assert found['judge'] > 0 and found['driven'] > -9 and 'reward' not in found
    now = model.state_dict()
    assert all(torch.equal(now[k], begins[k]) for k in now)
    for _ in range(2):
        assert made.descend(ring, clock, False)
    found = made.figures()
    now = model.state_dict()
    moved = {k.split('.')[0] for k in now if not torch.equal(now[k], begins[k])}
    assert moved == {'backbone', 'dit'}
    assert found['outcome'] == 0.5 and found['kl_words'] > 0 and found['kl_plan'] > 0
    assert 0 <= found['contact'] <= 1 and 0 < found['fit'] < 1 and found['expert_text'] > 0
    reward = parts.settings.rl.rewards
    assert found['reward'] == pytest.approx(
        -reward.per_metre * found['off_m'] - reward.collision * found['contact'] + found['fit'],
        abs=1e-3,
    )
    assert all(math.isfinite(v) for v in found.values())


def test_the_distance_is_0_before_the_first_step(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    rolled, _ = made._roller.roll(ring.draw(3))
    assert len(rolled.advantage) == 3 * parts.settings.rl.group
    found = made._policies.answered(rolled)
    assert abs(found['kl_words'].item()) < 1e-5 and found['kl_plan'].item() < 1e-6
    assert found['clipped_words'] == 0 and found['clipped_plan'] == 0


def test_a_publication_with_less_true_words_is_refused(
    parts: Parts, model: VLA, ring: Ring, clock: Clock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    made.publish(ring)
    published = json.loads((tmp_path / 'policy.json').read_text())
    for _ in range(4):
        made.descend(ring, clock, False)
    bar = made._bar
    worse = replace(bar, wrong=(bar.wrong[0] + 1, *bar.wrong[1:]))
    monkeypatch.setattr(made._exam, 'marks', lambda twin: worse)
    kept = made.publish(ring)
    assert json.loads((tmp_path / 'policy.json').read_text()) == published
    assert not made.descend(ring, clock, True)  # no step, but back where it has to begin
    written, now = load_file(tmp_path / published['file']), made.model.state_dict()
    assert all(torch.equal(written[k], now[k]) for k in now)
    assert all(torch.equal(written[k], v) for k, v in kept.state_dict().items())
    assert made.figures()['refused'] == 1 and made.strictness == 2.0
    monkeypatch.undo()
    monkeypatch.setattr(made._exam, 'marks', lambda twin: bar)
    made.publish(ring)
    assert json.loads((tmp_path / 'policy.json').read_text())['name'] == '2'
    assert made.strictness == 1.0


def test_words_are_less_true_where_chance_does_not_explain_it() -> None:
    drives, states = 12, 12 * GROUP
    before = Marks(0.9, 1.0, 0.5, (1, 0) * (states // 2))
    once = Marks(0.8, 1.0, 0.5, tuple(w + (k < GROUP) for k, w in enumerate(before.wrong)))
    often = Marks(0.8, 1.0, 0.5, tuple(w + (k % 25 == 0) for k, w in enumerate(before.wrong)))
    assert sum(once.wrong) - sum(before.wrong) == GROUP  # one drive of twelve, and all of it
    assert sum(often.wrong) - sum(before.wrong) == 2 * drives  # fewer, but in every drive
    assert not once.less_true_than(before) and often.less_true_than(before)
    assert not before.less_true_than(before) and not before.less_true_than(often)


def test_states_of_the_exam_are_not_learnt_from(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    before = int((ring.weight > 0).sum())
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    assert int((ring.weight > 0).sum()) == before - parts.settings.rl.exam_rows
    first, again = made._exam.marks(model), made._exam.marks(model)
    assert first == again and 0 < first.facts_f1 < 1 and first.ade_m > 0


def test_a_ring_without_words_is_refused_in_a_sentence(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    ring.rows['coc'].zero_()
    with pytest.raises(ConfigError, match='no sample of the ring has words'):
        trainer(parts, model, tmp_path).begin(ring)


@pytest.mark.parametrize('expert', [0.0, 0.5])
def test_without_drawn_plans_the_expert_alone_tunes_the_denoiser(
    parts: Parts, model: VLA, tmp_path: Path, expert: float
) -> None:
    s = parts.settings
    words = s.rl.model_copy(update={'plan': 0.0})
    losses = s.losses.model_copy(update={'plan': expert})
    changed = s.model_copy(update={'rl': words, 'losses': losses})
    trainer(Parts(parts.profile, parts.grammar, changed), model, tmp_path)
    assert all(p.requires_grad == bool(expert) for p in model.denoiser.parameters())


def test_a_run_goes_on_against_the_same_supervised_model(
    parts: Parts, model: VLA, ring: Ring, clock: Clock, tmp_path: Path
) -> None:
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    wrong = tuple(w + 9 for w in made._bar.wrong)  # what is published here is not the point
    made._bar = replace(made._bar, wrong=wrong)
    for _ in range(3):
        made.descend(ring, clock, False)
    made.strictness, made.refused = 8.0, 2  # it passes: half of it
    save_weights(tmp_path / 'model.safetensors', made.publish(ring))
    made.save(12.0, 18)
    torch.manual_seed(5)
    again = trainer(parts, VLA(parts.profile), tmp_path)
    again.restore(tmp_path / 'begin')
    theirs = again._reference.state_dict()
    assert all(torch.equal(begins[k], theirs[k]) for k in theirs)
    assert (tmp_path / REFERENCE).is_file() and (again.strictness, again.refused) == (4.0, 2)
    assert torch.equal(again._judges.agreement.place, made._judges.agreement.place)


def test_a_run_that_ends_before_its_exam_publishes_nothing(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    made = trainer(parts, model, tmp_path)
    made.begin(ring)
    accepted = made.publish(ring)
    save_weights(tmp_path / 'model.safetensors', accepted)
    torch.nn.init.normal_(model.dit.out.weight)
    made.save(12.0, 18)
    published = (tmp_path / 'policy.json').read_bytes()
    again = trainer(parts, VLA(parts.profile), tmp_path)
    again.restore()
    kept = again.publish(ring).state_dict()
    assert all(torch.equal(kept[k], v) for k, v in accepted.state_dict().items())
    assert (tmp_path / 'policy.json').read_bytes() == published
    assert not [name for name in again.figures() if name.startswith('exam')]


def test_a_new_run_that_ends_before_its_exam_goes_on(
    parts: Parts, model: VLA, ring: Ring, tmp_path: Path
) -> None:
    begins = {k: v.clone() for k, v in model.state_dict().items()}
    made = trainer(parts, model, tmp_path)
    save_weights(tmp_path / 'model.safetensors', made.publish(ring))
    made.save(1.0, 18)
    again = trainer(parts, VLA(parts.profile), tmp_path)
    assert again.restore()['step'] == 0
    theirs, accepted = again._reference.state_dict(), again._accepted.state_dict()
    assert all(torch.equal(begins[k], theirs[k]) for k in theirs)
    assert all(torch.equal(begins[k], accepted[k]) for k in accepted)


def test_a_stage_has_its_trainer_and_its_numbers(parts: Parts, model: VLA, tmp_path: Path) -> None:
    toy = Settings.from_file(RECIPES / 'stream_toy.yaml')
    for stage in ('sft', 'dagger'):
        settings = toy.model_copy(update={'stage': stage})
        made = trainer_of(Start(model, parts.grammar, settings, Together(), tmp_path, False))
        assert type(made) is Trainer
        Steering(tmp_path, settings).steer([], True)
        told = json.loads((tmp_path / 'control.json').read_text())
        assert told['policy_share'] == (0.75 if stage == 'dagger' else 0.0)
    for recipe, change, said in [
        ('stream_toy', {'stage': 'rl'}, 'take rl or rl_toy'),
        ('rl_toy', {'stage': 'dagger'}, 'has no use for the part rl'),
        ('rl_toy', {'views': 'trained'}, 'behind views: frozen'),
        ('rl_toy', {'first_rows': 12}, 'held out of the first_rows 12'),
    ]:
        with pytest.raises(ConfigError, match=said):
            Settings.from_file(RECIPES / f'{recipe}.yaml', **change)
