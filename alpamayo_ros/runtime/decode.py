"""Decode a chain of causation in few passes: forced runs and a verified draft.

Every pass feeds a whole chunk: tokens that the grammar forces, and tokens guessed from the
previous cycle's text.  A guess stays only where plain greedy decoding would have chosen it, so the
token ids are those of one token a pass; only ties closer than the runtime's rounding could differ,
and they are counted (docs/design.md, "Chain of causation").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from alpamayo_ros.model.grammar import Grammar, State

NEAR_TIE = 1e-4


class Feed(Protocol):
    """Runs the backbone on a chunk of CoC tokens."""

    def __call__(self, tokens: Sequence[int], start: int) -> Float[np.ndarray, 'N V']:
        """Feed ``tokens`` at CoC position ``start``: n + 1 rows, row i before token i.

        Row 0 means something at position 0 only.  Tokens of earlier calls from ``start`` on are
        forgotten.
        """
        ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """Token ids, passes through the backbone, near ties, and whether the limit cut it off.

    A near tie is a choice closer than 1e-4.
    """

    ids: tuple[int, ...]
    passes: int
    near_ties: int
    truncated: bool


def choose(logits: Float[np.ndarray, ' V'], allowed: Sequence[int]) -> tuple[int, bool]:
    """The best allowed token, the lowest id of equals; whether the runner-up is within 1e-4."""
    scores = logits[list(allowed)]
    best = int(np.argmax(scores))
    near = int((scores >= scores[best] - NEAR_TIE).sum()) > 1
    return allowed[best], near


def confirmed(grammar: Grammar, rows: Float[np.ndarray, 'N V'], ids: Sequence[int]) -> bool:
    """Whether plain greedy decoding chooses ``ids``, which were fed at 0 and gave ``rows``."""
    state = grammar.start
    for row, token in zip(rows, ids, strict=False):
        allowed = grammar.allowed(state)
        if len(allowed) > 1 and choose(row, allowed)[0] != token:
            return False
        state = grammar.advance(state, token)
    return grammar.done(state)


class Begun:
    """A feed whose first chunk was fed before: who asks for the same gets its ``rows`` again."""

    def __init__(self, feed: Feed, tokens: Sequence[int], rows: Float[np.ndarray, 'N V']) -> None:
        self._feed, self._tokens, self.rows = feed, tuple(tokens), rows
        self._first = True

    def __call__(self, tokens: Sequence[int], start: int) -> Float[np.ndarray, 'N V']:
        """See ``Feed``."""
        first, self._first = self._first, False
        if first and not start and tuple(tokens) == self._tokens:
            return self.rows
        return self._feed(tokens, start)


class Draft:
    """Guesses from an earlier text: the token it had in the same state of the grammar."""

    def __init__(self, grammar: Grammar, text: str) -> None:
        self._next: dict[State, int] = {}
        state = grammar.start
        for token in (grammar.parse(text) if text else None) or ():
            self._next[state] = token
            state = grammar.advance(state, token)

    def guess(self, state: State) -> int | None:
        """Token to try in ``state``, or None."""
        return self._next.get(state)


def _chunk(
    grammar: Grammar, state: State, draft: Draft, first: int | None, room: int
) -> list[int]:
    """``first`` (already chosen) and all tokens after it that are forced or guessed.

    At most ``room``.
    """
    tokens: list[int] = []
    while len(tokens) < room and not grammar.done(state):
        allowed = grammar.allowed(state)
        if not tokens and first is not None:
            token: int | None = first
        else:
            token = allowed[0] if len(allowed) == 1 else draft.guess(state)
        if token is None:
            break
        tokens.append(token)
        state = grammar.advance(state, token)
    return tokens


def decode(grammar: Grammar, feed: Feed, draft: Draft, limit: int) -> Decoded:
    """Greedy constrained decoding until the grammar is done or ``limit`` tokens are out."""
    ids: list[int] = []
    state, passes, ties = grammar.start, 0, 0
    chosen: int | None = None
    while not grammar.done(state) and len(ids) < limit:
        tokens = _chunk(grammar, state, draft, chosen, limit - len(ids))
        rows = feed(tokens, len(ids))
        passes += 1
        for index in range(len(tokens) + 1):
            if grammar.done(state) or len(ids) >= limit:
                break
            token, near = chosen, False
            if index > 0 or chosen is None:
                allowed = grammar.allowed(state)
                token, near = (
                    (allowed[0], False) if len(allowed) == 1 else choose(rows[index], allowed)
                )
            ties += near
            if index == len(tokens) or token != tokens[index]:
                chosen = token
                break
            ids.append(tokens[index])
            state = grammar.advance(state, tokens[index])
    return Decoded(tuple(ids), passes, ties, not grammar.done(state))
