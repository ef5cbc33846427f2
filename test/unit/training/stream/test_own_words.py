"""The plan is learnt behind the policy's own words in a share of its samples."""

from pathlib import Path

import pytest
import torch
from stream_toy import Parts
from torch import Tensor

from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.json_file import write_json
from alpamayo_ros.training.reinforcement.policy import SpeakingPolicy
from alpamayo_ros.training.reinforcement.speech import Seen, say
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream import losses, policy_server
from alpamayo_ros.training.stream.dense_loss import Heads
from alpamayo_ros.training.stream.losses import Objective
from alpamayo_ros.training.stream.policy_server import Server
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.vocabulary import write_vocabulary


def losses_of(
    parts: Parts, model: VLA, ring: Ring, own_words: float, said: list[int]
) -> dict[str, Tensor]:
    """Of four samples of which the policy said something in the first two."""
    silence = torch.tensor(prefix_ids(parts.grammar.tokenizer, '', '', 4))
    weights = parts.settings.losses
    objective = Objective(model.eval(), Heads(model).eval(), weights, silence, own_words)
    batch = ring.gather(torch.tensor([3, 4, 5, 6]))
    batch['said'][:2, : len(said)] = torch.tensor(said, dtype=torch.int16)
    torch.manual_seed(0)
    with torch.no_grad():
        return objective.losses(batch, False)


@pytest.mark.parametrize('length', [3, 12])  # the expert's have 7 tokens
def test_the_plan_follows_what_was_said_and_no_words_are_learnt_from_it(
    parts: Parts, model: VLA, ring: Ring, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(losses, 'WORDS_LOST', 0.0)
    torch.manual_seed(1)
    torch.nn.init.normal_(model.dit.out.weight, std=0.1)  # a fresh one answers nothing to words
    one, other = (losses_of(parts, model, ring, 1.0, [word] * length) for word in (6, 7))
    assert not torch.isclose(one['plan'], other['plan'], rtol=1e-6, atol=0)
    assert torch.isclose(one['text'], other['text'])
    one, other = (losses_of(parts, model, ring, 0.0, [word] * length) for word in (6, 7))
    assert torch.equal(one['plan'], other['plan']) and torch.equal(one['text'], other['text'])


def test_where_nothing_was_said_the_experts_words_teach(
    parts: Parts, model: VLA, ring: Ring
) -> None:
    mute, plain = (losses_of(parts, model, ring, share, []) for share in (1.0, 0.0))
    assert torch.equal(mute['text'], plain['text'])
    spoken = losses_of(parts, model, ring, 1.0, [6])
    assert spoken['text'] != plain['text'], 'two of the four samples teach no words'


@pytest.mark.parametrize('own_words', [0.0, 0.5])
def test_the_policy_says_the_likeliest_words_where_plans_are_learnt_behind_them(
    parts: Parts,
    model: VLA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_words: float,
) -> None:
    monkeypatch.setattr(policy_server, 'load_profile', lambda name: parts.profile)
    settings = parts.settings.model_copy(update={'own_words': own_words})
    write_json(tmp_path / 'settings.json', settings.model_dump())
    write_vocabulary(parts.grammar, tmp_path)
    policy = Server(tmp_path, tmp_path).policy
    assert isinstance(policy, SpeakingPolicy) == bool(own_words)
    if not own_words:
        return
    table = WordTable(parts.grammar, parts.profile.text.vocab_size, model.device)
    ids = torch.tensor([[4, 5, 6, 7]])
    visual = torch.randn(1, parts.profile.visual_tokens, parts.profile.backbone.width)
    seen = Seen(ids, torch.ones(1, 4), visual, torch.tensor([5.0]))
    asked = (seen.ids, seen.real, seen.visual, seen.speed)
    with torch.no_grad():
        policy.answer(*asked)
        said = say(policy.model, table, seen)
    assert policy.said is not None and torch.equal(policy.said.tokens, said.tokens)
