"""The words of a cycle under a grammar, with a draft by state; no choice is seen by the host.

As ``words.Words``; what a pass feeds is found on the device, word by word: the newest one, then in
each state of the grammar the word that is tried there.  So words that are the only ones allowed
cost no pass of their own, and a draft survives a phrase of another length before it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.fast.language import Language
from alpamayo_ros.model.fast.places import Places
from alpamayo_ros.model.fast.rules import Rules
from alpamayo_ros.model.fast.scene import Scene
from alpamayo_ros.model.fast.words import Words


class RuledWords(Words):
    """``state`` (1): of the grammar behind the first ``count`` words."""

    def __init__(
        self, language: Language, places: Places, scene: Scene, words: int, rules: Rules
    ) -> None:
        super().__init__(language, places, scene, words)
        self._rules, self._head = rules, language.head(rules.tokens)
        self._columns = torch.zeros_like(self.ids)
        self.state = torch.zeros_like(self.count)

    def begin(self, given: Given, before: Tensor) -> None:
        """See :meth:`Words.begin`."""
        self.state.zero_()
        self._columns[:1].copy_(self._best(before, self.state))
        self.count.zero_()

    def step(self, given: Given, width: int) -> None:
        """See :meth:`Words.step`."""
        rules, states, fed = self._rules, [self.state], [self._columns[self.count]]
        for _ in range(width - 1):
            states.append(rules.after[states[-1], fed[-1]])
            fed.append(given.guess[states[-1]])
        states.append(rules.after[states[-1], fed[-1]])
        columns, known = torch.cat(fed), torch.cat(states)
        at, ids = self.count + self._slot[:width], rules.tokens[columns]
        best = self._best(self._pass(given, at, ids), known[1:])
        right = (known[:-1] != rules.end) & (at < self._limit)
        right[1:] &= best[:-1] == columns[1:]
        accepted = right.long().cumprod(0).sum()[None]
        self.ids.index_copy_(0, at, ids)
        self._columns.index_copy_(0, at + 1, best)
        self.state.copy_(known[accepted])
        self.count.add_(accepted)

    def say(self, given: Given, width: int) -> None:
        """All of the first ``width`` words of ``given.draft`` in one pass, chosen or not.

        ``given.said`` (1) of them are real.
        """
        self._pass(given, self._slot[:width], given.draft[:width])
        self.ids[:width].copy_(given.draft[:width])
        self.count.copy_(given.said)
        self.state.fill_(self._rules.end)

    def _best(self, hidden: Tensor, states: Tensor) -> Tensor:
        """(N) columns: the best of what each state allows."""
        return (self._language.scores(hidden, self._head) + self._rules.allowed[states]).argmax(-1)
