"""Words drawn from the model under its grammar, and how likely given words are.

All in float32: the ratio of two likelihoods is a small difference of large numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.word_table import PAD, WordTable


class Seen(NamedTuple):
    """What the words are about: prefix ids and validity (B, X), visual tokens, speed [m/s]."""

    ids: Tensor
    real: Tensor
    visual: Tensor
    speed: Tensor

    def repeat(self, times: int) -> Seen:
        """Every state so often, neighbours together."""
        return Seen(*(part.repeat_interleave(times, 0) for part in self))

    def rows(self, index: Tensor) -> Seen:
        """Some of the states."""
        return Seen(*(part[index] for part in self))


class Said(NamedTuple):
    """Texts (B, L) padded with 0, and the log-probability of every token when it was drawn."""

    tokens: Tensor
    likelihood: Tensor


@torch.no_grad()
def say(
    model: VLA, table: WordTable, seen: Seen, generator: torch.Generator | None = None
) -> Said:
    """A text a state, drawn by ``generator``; without one the likeliest token every time."""
    backbone, size, longest = model.backbone, len(seen.speed), table.longest
    text = backbone.embed(seen.ids)
    x = torch.cat([text, model.scene(seen.visual, seen.speed)], 1)
    first, prefix = x.shape[1], seen.ids.shape[1]
    mask = model.attention_mask(seen.real, longest)
    positions = model.positions(prefix, longest)
    cache = backbone.new_cache(size, first + longest)
    hidden = backbone(x, positions[:first], mask[:, :, :first], cache)
    state = seen.ids.new_zeros(size)
    tokens = seen.ids.new_full((size, longest), PAD)
    likelihood = seen.speed.new_zeros(size, longest)
    for k in range(longest):
        scores = table.log_probabilities(backbone.logits(hidden[:, -1]), state)
        token = scores.argmax(-1) if generator is None else _draw(scores, generator)
        tokens[:, k] = token
        likelihood[:, k] = scores.gather(1, token[:, None])[:, 0]
        state = table.following[state, token]
        if bool((state == table.over).all()):
            return Said(tokens[:, : k + 1], likelihood[:, : k + 1])
        at = first + k
        word = backbone.embed(token)[:, None]
        hidden = backbone(word, positions[at : at + 1], mask[:, :, at : at + 1], cache, at)
    return Said(tokens, likelihood)


def _draw(scores: Tensor, generator: torch.Generator) -> Tensor:
    return torch.multinomial(scores.exp(), 1, generator=generator)[:, 0]


def hidden_states(model: VLA, seen: Seen, tokens: Tensor) -> Tensor:
    """Hidden states (B, S, width) of states with texts (B, L)."""
    return model.hidden(seen.ids, seen.real, seen.visual, seen.speed, tokens)


def word_scores(model: VLA, table: WordTable, hidden: Tensor, tokens: Tensor) -> Tensor:
    """(B, L, V) log-probabilities of each next token of the texts, as :func:`say` has them."""
    before = hidden[:, -tokens.shape[1] - 1 : -1]  # the words are the last of a sequence
    return table.log_probabilities(model.backbone.logits(before), table.states(tokens))


def of_tokens(scores: Tensor, tokens: Tensor) -> Tensor:
    """(B, L) what the texts have of (B, L, V)."""
    return scores.gather(-1, tokens[..., None])[..., 0]


def spoken(tokens: Tensor) -> Tensor:
    """(B, L) 1 where a text has a word, 0 on padding."""
    return (tokens != PAD).float()
