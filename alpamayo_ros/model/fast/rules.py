"""A grammar as tables, so that which words are allowed is decided on the device.

Row: a state of the grammar; column: a token that some state allows.  The last state is the end of
the text; it allows one column and leads to itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar, State

NEVER = float('-inf')
Guess = Callable[[State], int | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """``tokens`` (W) ids of the columns, ascending; ``allowed`` (S, W): 0, or ``NEVER``.

    ``after`` (S, W): the state behind a token.  ``open``: the number of every state that has a
    choice; ``lowest`` (S) the first column that a state allows, on the host.
    """

    tokens: Tensor
    allowed: Tensor
    after: Tensor
    open: dict[State, int]
    lowest: Tensor
    column: dict[int, int]

    @classmethod
    def of(cls, grammar: Grammar, device: torch.device | str) -> Rules:
        """All states that a text can reach, its start first."""
        places, moves = _walk(grammar)
        ids = sorted({token for _, token, _ in moves})
        column = {token: i for i, token in enumerate(ids)}
        unfinished = [state for state in places if not grammar.done(state)]
        end = len(unfinished)
        number = dict.fromkeys(places, end) | {s: i for i, s in enumerate(unfinished)}
        allowed = np.full((end + 1, len(ids)), NEVER, np.float32)
        after = np.full(allowed.shape, end, np.int64)
        for state, token, behind in moves:
            allowed[number[state], column[token]] = 0.0
            after[number[state], column[token]] = number[behind]
        allowed[end, 0] = 0.0
        choices = {s: n for s, n in number.items() if len(grammar.allowed(s)) > 1}
        lowest = torch.from_numpy((allowed == 0.0).argmax(1))
        tokens, rows = torch.tensor(ids).to(device), torch.from_numpy(allowed).to(device)
        return cls(tokens, rows, torch.from_numpy(after).to(device), choices, lowest, column)

    @property
    def states(self) -> int:
        """How many there are, the end too."""
        return len(self.allowed)

    @property
    def end(self) -> int:
        """The state behind a whole text."""
        return self.states - 1

    def guesses(self, guess: Guess) -> Tensor:
        """(S) the column that is tried in each state, on the host.

        The only one that it allows, else that of ``guess``, else the first one.
        """
        found = self.lowest.clone()
        for state, number in self.open.items():
            token = guess(state)
            if token is not None:
                found[number] = self.column[token]
        return found


def _walk(grammar: Grammar) -> tuple[list[State], list[tuple[State, int, State]]]:
    """Every state, the start first, and every move: a state, a token, the state behind."""
    found, ahead = {grammar.start: None}, [grammar.start]
    moves: list[tuple[State, int, State]] = []
    while ahead:
        state = ahead.pop()
        for token in grammar.allowed(state):
            behind = grammar.advance(state, token)
            moves.append((state, token, behind))
            if behind not in found:
                found[behind] = None
                ahead.append(behind)
    return list(found), moves
