"""Chunked, drafted decoding gives the ids of plain greedy decoding, whatever the draft says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.model.grammar import Grammar, GrammarSpec
from alpamayo_ros.model.prompt import corpus
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.profile import share_dir
from alpamayo_ros.runtime.decode import Draft, choose, decode

VOCABULARY = 1024


@cache
def grammar() -> Grammar:
    spec = GrammarSpec.from_file(share_dir() / 'config' / 'grammars' / 'phrases_v1.yaml')
    phrases = [phrase for _, slot in spec.slots() for phrase in slot.phrases]
    return Grammar(spec, Tokenizer.train(corpus(phrases), VOCABULARY))


class FakeModel:
    """Logits that depend on every token before them, as a language model's do."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.out: list[int] = []
        self.calls = 0

    def row(self, prefix: Sequence[int]) -> np.ndarray:
        return np.random.default_rng([self.seed, *prefix]).standard_normal(VOCABULARY)

    def __call__(self, tokens: Sequence[int], start: int) -> np.ndarray:
        assert start <= len(self.out), 'a gap in the cache'
        self.out[start:] = tokens
        self.calls += 1
        return np.stack([self.row(self.out[: start + i]) for i in range(len(tokens) + 1)])


def plain(model: FakeModel, limit: int = 64) -> tuple[int, ...]:
    ids: list[int] = []
    state = grammar().start
    while not grammar().done(state) and len(ids) < limit:
        allowed = grammar().allowed(state)
        ids.append(max(allowed, key=lambda token: (model.row(ids)[token], -token)))
        state = grammar().advance(state, ids[-1])
    return tuple(ids)


def any_text(seed: int) -> str:
    rng = np.random.default_rng(seed)
    choices = {slot.name: str(rng.choice(slot.phrases)) for _, slot in grammar().spec.slots()}
    return grammar().text(grammar().encode(choices))


@settings(max_examples=60)
@given(st.integers(0, 1 << 30), st.integers(0, 1 << 30))
def test_same_ids_as_plain_greedy(seed: int, draft_seed: int) -> None:
    model = FakeModel(seed)
    wanted = plain(model)
    for text in ('', any_text(draft_seed), 'perception: go\nnonsense', grammar().text(wanted)):
        model = FakeModel(seed)
        decoded = decode(grammar(), model, Draft(grammar(), text), 64)
        assert decoded.ids == wanted
        assert tuple(model.out) == wanted, 'every token, the last included, went through the model'
        assert decoded.passes == model.calls <= len(wanted)
        assert not decoded.truncated


def test_passes_saved() -> None:
    """A right draft takes one pass, a text wrong in one slot two, none about one a choice."""
    model = FakeModel(5)
    wanted = plain(model)
    text = grammar().text(wanted)
    assert decode(grammar(), FakeModel(5), Draft(grammar(), text), 64).passes == 1
    lines = text.split('\n')
    intent = lines[3]
    lines[3] = 'intent: wait' + (' and keep the lane' if 'wait' not in intent else '')
    other = decode(grammar(), FakeModel(5), Draft(grammar(), '\n'.join(lines)), 64)
    none = decode(grammar(), FakeModel(5), Draft(grammar(), ''), 64)
    assert other.ids == none.ids == wanted
    assert other.passes < none.passes < len(wanted)


@pytest.mark.parametrize('limit', [1, 7, 20])
def test_limit_cuts_and_says_so(limit: int) -> None:
    wanted = plain(FakeModel(1))
    for text in ('', grammar().text(wanted)):
        decoded = decode(grammar(), FakeModel(1), Draft(grammar(), text), limit)
        assert decoded.truncated and decoded.ids == wanted[:limit]


def test_near_ties_are_counted_and_the_lowest_id_wins() -> None:
    row = np.zeros(10)
    assert choose(row, (2, 5, 7)) == (2, True)
    row[5] = 5e-5
    assert choose(row, (2, 5, 7)) == (5, True)
    row[5] = 2e-4
    assert choose(row, (2, 5, 7)) == (5, False)


def test_nan_logits_still_end() -> None:
    def feed(tokens: Sequence[int], start: int) -> np.ndarray:
        return np.full((len(tokens) + 1, VOCABULARY), np.nan)

    decoded = decode(grammar(), feed, Draft(grammar(), ''), 64)
    assert grammar().parse(grammar().text(decoded.ids)) == decoded.ids
