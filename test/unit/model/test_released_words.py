"""Greedy words with drafts, and positions of prompts, without any network."""

from __future__ import annotations

import pytest
import torch

from alpamayo_ros.model.released.mrope import positions, tables
from alpamayo_ros.model.released.vocabulary import END, FUTURE_START, PICTURE
from alpamayo_ros.model.released.words import continuation, greedy

TEXT = [5, 6, 7, 8, 9, 10, FUTURE_START, 99, 98]


class Known:
    """A model that says ``TEXT``; remembers what was written where."""

    def __init__(self, text):
        self.text, self.stored = [*text, *[3] * 20], {}

    def __call__(self, words, start):
        self.stored.update({start + i: word for i, word in enumerate(words)})
        fits = [self.text[: start + i] == self.kept(start + i) for i in range(1, len(words) + 1)]
        return [self.text[start + i + 1] if fits[i] else 3 for i in range(len(words))]

    def kept(self, count):
        return [self.stored.get(i) for i in range(count)]


@pytest.mark.parametrize(
    ('draft', 'passes'),
    [((), 7), (TEXT[:7], 1), (TEXT, 1), (TEXT[:3], 5), ([1, *TEXT[:7]], 2), ([5, 1, 7, 8, 9], 6)],
)
def test_a_draft_changes_the_passes_alone(draft, passes):
    model = Known(TEXT)
    found = greedy(5, model, draft, 100)
    assert found.tokens == tuple(TEXT[:7]) and found.complete
    assert found.passes == passes
    assert found.visible == 7 and model.kept(7) == TEXT[:7]


@pytest.mark.parametrize('draft', [(), TEXT])
@pytest.mark.parametrize(('budget', 'visible'), [(4, 3), (7, 6), (8, 7)])
def test_the_last_word_of_a_budget_is_not_seen(draft, budget, visible):
    found = greedy(5, Known(TEXT), draft, budget)
    assert found.tokens == tuple(TEXT[: min(budget, 7)]) and found.visible == visible


def test_the_end_of_a_turn_ends_the_text():
    found = greedy(5, Known([5, END[1], 6]), (), 100)
    assert found.tokens == (5, END[1]) and found.visible == 1 and not found.complete


def test_the_draft_goes_on_where_its_words_stood():
    assert continuation([5, 6], TEXT) == TEXT[2:]
    assert continuation([1, 6, 7], TEXT) == TEXT[3:]
    assert list(continuation([1, 2], TEXT)) == [] and list(continuation([4], TEXT)) == []


def test_a_picture_moves_positions_by_its_longer_side():
    picture = [PICTURE] * 180
    ids = torch.tensor([1] * 29 + picture + [2] * 6 + picture + [3])
    where = positions(ids, 10, 18)
    assert where[:, 28].tolist() == [28] * 3
    assert where[:, 29].tolist() == [29] * 3 and where[:, 208].tolist() == [29, 38, 46]
    assert where[:, 209].tolist() == [47] * 3 and where[:, -1].tolist() == [71] * 3
    with pytest.raises(ValueError, match='a picture has 10 x 18 tokens'):
        positions(ids[:100], 10, 18)


def test_frequencies_take_turns_between_the_axes():
    cos, sin = tables(torch.tensor([[0], [1], [2]]), 10_000.0, (24, 20, 20))
    turned = torch.atan2(sin, cos)[0] * 10_000 ** (torch.arange(64) / 64)
    expected = torch.tensor(([0.0, 1, 2] * 20) + [0.0] * 4)
    assert (turned - expected).abs().max() < 1e-3
