"""The words of a cycle, greedily, with a draft; no choice is ever seen by the host.

A pass feeds the newest word and guesses behind it.  Guesses up to the first wrong one are kept,
and the model's own choice behind them (speculative decoding, Leviathan et al. 2023, at
temperature 0), so a draft changes how many passes a text takes, never the text.  What a pass
rejects is overwritten by the next.  A recorded cycle has a fixed number of passes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.model.fast.attend import for_groups
from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.fast.language import Language, Look
from alpamayo_ros.model.fast.places import Places
from alpamayo_ros.model.fast.scene import Scene
from alpamayo_ros.model.layout import MASKED


class Words:
    """``ids`` (..): the chosen words, of which the first ``count`` (1) are fed and final."""

    def __init__(self, language: Language, places: Places, scene: Scene, words: int) -> None:
        self._language, self._places, self._scene, self._limit = language, places, scene, words
        device = language.keys.device
        self._slot = torch.arange(places.slots, device=device)
        room = places.slots - places.coc + 1
        self.ids = torch.zeros(room, dtype=torch.long, device=device)
        self._draft = torch.zeros(room, dtype=torch.long, device=device)
        self.count = torch.zeros(1, dtype=torch.long, device=device)

    def begin(self, given: Given, before: Tensor) -> None:
        """The first word, by the hidden state (1, width) before it."""
        self.ids[:1].copy_(self._language.choose(before))
        self._draft[: len(given.draft)].copy_(given.draft)
        self.count.zero_()

    def step(self, given: Given, width: int) -> None:
        """One pass of ``width`` words: the newest and guesses."""
        row = self._slot[:width]
        at = self.count + row
        fed = torch.where(row == 0, self.ids[at], self._draft[at])
        best = self._language.choose(self._pass(given, at, fed))
        right = (best[:-1] == fed[1:]).long().cumprod(0).sum()
        self.ids.index_copy_(0, at + 1, best)
        self.count.add_(right + 1).clamp_(max=self._limit)

    def _pass(self, given: Given, at: Tensor, fed: Tensor) -> Tensor:
        """Hidden states (N, width) of the words ``fed`` (N) at ``at``, which are kept."""
        places, width = self._places, len(fed)
        slots, end = places.coc + at, self._language.positions - 1  # guesses may lie beyond it
        positions = (places.word_position + given.shift + at).clamp(max=end)
        later = self._slot > slots[:, None]
        mask = torch.zeros_like(later, dtype=torch.float32).masked_fill(later, MASKED)
        mask = for_groups(mask + self._scene.pad, self._language.shared)
        looks = (Look(slice(0, width), (), mask),)
        states = self._language(self._language.embed(fed), positions, slots, looks)
        self._scene.hidden.index_copy_(0, slots, states)
        return states
