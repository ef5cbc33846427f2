"""The policy speaks while it drives, and its words reach the samples of the drive."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stream_toy import Parts

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.json_file import write_json
from alpamayo_ros.training.reinforcement.drafted import say_drafted
from alpamayo_ros.training.reinforcement.policy import SpeakingPolicy
from alpamayo_ros.training.reinforcement.speech import (
    Seen,
    hidden_states,
    of_tokens,
    say,
    spoken,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream import policy_server
from alpamayo_ros.training.stream.policy_server import Server
from alpamayo_ros.training.stream.publish import publish
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.slots import Slots
from alpamayo_ros.training.vocabulary import write_vocabulary


def pictures(parts: Parts) -> np.ndarray:
    view = parts.profile.views[0]
    return np.full((len(parts.profile.views), view.height, view.width, 3), 90, np.uint8)


def prefix(parts: Parts) -> np.ndarray:
    ids = np.full(parts.profile.text.max_prefix, -1, np.int16)
    ids[:4] = 4, 5, 6, 7
    return ids


def test_words_come_with_the_plan_and_as_likely_as_the_trainer_finds_them(
    parts: Parts, model: VLA, table: WordTable
) -> None:
    policy = SpeakingPolicy(model, 2, 3, table)
    asked = []
    answer = policy.answer
    policy.answer = lambda *given: (asked.append(given), answer(*given))[1]
    views, words = np.stack([pictures(parts)] * 2), np.stack([prefix(parts)] * 2)
    plans = policy.act([0, 1], [0.0, 0.0], views, np.array([5.0, 5.0]), words)
    assert plans.shape == (2, parts.profile.trajectory.points, 3) and np.isfinite(plans).all()
    said, seen = policy.said, Seen(*asked[0])
    assert said is not None and not torch.equal(said.tokens[0], said.tokens[1])  # drawn
    scores = word_scores(model, table, hidden_states(model, seen, said.tokens), said.tokens)
    assert torch.allclose(of_tokens(scores, said.tokens), said.likelihood, atol=1e-4)


def test_what_the_server_says_is_in_the_sample_of_that_drive(
    parts: Parts, model: VLA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_server, 'load_profile', lambda name: parts.profile)
    settings = parts.settings.model_copy(update={'workers': 2})
    write_json(tmp_path / 'settings.json', settings.model_dump())
    write_vocabulary(parts.grammar, tmp_path)
    slots, server = Slots(tmp_path, 2, parts.profile), Server(tmp_path, tmp_path)
    publish(model, tmp_path, 7, False)
    number = slots.ask(1, pictures(parts), prefix(parts), 0.0, 5.0, True)
    assert server.refresh()
    server.answer(server.slots.open())
    plan, row = slots.wait(1, number, lambda: True), slots.words(1)
    assert plan is not None and plan.any() and row['told'] == 7
    text = parts.grammar.text([t for t in row['said'].tolist() if t])
    assert parts.grammar.parse(text) is not None
    assert row['said_likelihood'].min() < 0 and not row['said_likelihood'][row['said'] == 0].any()
    assert slots.words(0)['told'] == 0
    silent = slots.silence(parts.profile)
    assert set(silent) == {*row, 'outcome'} and not silent['told']


def test_only_fresh_words_are_drawn(ring: Ring) -> None:
    b = ring.draw_said(5, since=1)
    assert b is not None and bool((b['told'] == 1).all()) and b['said'].shape[0] == 5
    assert b['said'].dtype == torch.int64 and b['said'].shape == b['said_likelihood'].shape
    assert ring.draw_said(5, since=2) is None
    ring.rows['told'].zero_()
    assert ring.draw_said(5, since=-3) is None


class Passes(torch.nn.Module):
    """A backbone that counts its passes."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        super().__init__()
        self.backbone, self.count = backbone, 0

    def forward(self, *given: Any) -> torch.Tensor:
        self.count += 1
        return self.backbone(*given)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.backbone, name)


def test_words_from_a_draft_are_those_without_and_take_few_passes(
    parts: Parts, model: VLA, table: WordTable, seen: Seen
) -> None:
    plain = say(model.eval(), table, seen).tokens
    hidden = hidden_states(model, seen, plain)
    right = [parts.grammar.text([k for k in ids if k]) for ids in plain.tolist()]
    model.backbone = passes = Passes(model.backbone)
    for drafts in (right, right[1:] + right[:1], ['', right[2], '']):
        passes.count = 0
        found = say_drafted(model, table, seen, drafts)
        assert torch.equal(found.tokens, plain)
        told = torch.cat([torch.ones(3, hidden.shape[1] - plain.shape[1]), spoken(plain)], 1) > 0
        assert torch.allclose(found.hidden[told], hidden[told], atol=1e-4)
        assert drafts is not right or passes.count == 6, 'a pass for the scene, one for the words'


def test_a_policy_drafts_by_what_it_said_before(
    parts: Parts, model: VLA, table: WordTable
) -> None:
    """Two drives, then many at once: the same words and plans either way."""
    policies = [SpeakingPolicy(model, 2, 3, table, False) for _ in range(2)]
    views, words = np.stack([pictures(parts)] * 2), np.stack([prefix(parts)] * 2)
    views[1] = 200
    for k in range(3):
        plans = []
        for policy, few in zip(policies, (4, 0), strict=True):
            monkey = pytest.MonkeyPatch()
            monkey.setattr('alpamayo_ros.training.reinforcement.policy.FEW', few)
            times = [k * 0.25, k * 0.25]
            plans.append(policy.act([1, 0], times, views, np.array([5.0, 2.0]), words))
            monkey.undo()
        said = [policy.said.tokens for policy in policies if policy.said is not None]
        assert torch.equal(*said) and np.allclose(*plans, atol=1e-3)
    assert policies[0]._before[1] and policies[0]._before[0]
