"""A grammar as tensors: which tokens each of its states allows, and to which state they lead.

The state behind ``<|end|>`` allows padding alone, so that texts of a batch may differ in length.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model.grammar import Grammar, State
from alpamayo_ros.statuses import ConfigError

PAD = 0
MOST_STATES = 20_000  # phrases_v2 has 378


class WordTable:
    """``allowed`` (S, V), ``free`` (S,) where there is a choice, ``following`` (S, V)."""

    def __init__(self, grammar: Grammar, vocab_size: int, device: torch.device) -> None:
        """ConfigError where the grammar has more states than fit."""
        self.grammar, states = grammar, _states(grammar)
        number = {state: k for k, state in enumerate(states)}
        allowed = torch.zeros(len(states) + 1, vocab_size, dtype=torch.bool)
        following = torch.full(allowed.shape, len(states))
        allowed[len(states), PAD] = True
        for state, k in number.items():
            for token in grammar.allowed(state):
                after = grammar.advance(state, token)
                allowed[k, token], following[k, token] = True, number.get(after, len(states))
        self.over, self.longest = len(states), grammar.max_length
        self.allowed, self.following = allowed.to(device), following.to(device)
        self.free = self.allowed.sum(1) > 1

    def log_probabilities(self, logits: Tensor, state: Tensor) -> Tensor:
        """Logits (..., V) in states (...) -> log-probabilities, -inf where a token is refused."""
        return F.log_softmax(logits.float().masked_fill(~self.allowed[state], -torch.inf), -1)

    def states(self, tokens: Tensor) -> Tensor:
        """(B, L) the state before each token of texts (B, L) of the grammar, padded with 0."""
        state = torch.zeros_like(tokens[:, 0])
        found = []
        for k in range(tokens.shape[1]):
            found.append(state)
            state = self.following[state, tokens[:, k]]
        return torch.stack(found, 1)


def _states(grammar: Grammar) -> list[State]:
    """All states that can be reached and are not the end, the first first."""
    found = {grammar.start: None}
    waiting = [grammar.start]
    while waiting:
        state = waiting.pop()
        for token in grammar.allowed(state):
            after = grammar.advance(state, token)
            if after not in found and not grammar.done(after):
                found[after] = None
                waiting.append(after)
        if len(found) > MOST_STATES:
            raise ConfigError(
                f'the grammar has over {MOST_STATES} states: drawing words from it needs one of '
                "nano's kind (phrases_v1 or phrases_v2)"
            )
    return list(found)
