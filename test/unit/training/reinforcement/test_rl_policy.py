"""The policy speaks while it drives, and its words reach the samples of the drive."""

from pathlib import Path

import numpy as np
import pytest
import torch
from stream_toy import Parts

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.policy import SpeakingPolicy
from alpamayo_ros.training.reinforcement.speech import (
    Seen,
    hidden_states,
    of_tokens,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream import policy_server
from alpamayo_ros.training.stream.policy_server import Server
from alpamayo_ros.training.stream.publish import publish
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import write_json
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
