"""The likeliest words of few states, in few passes: what was said before is the draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.runtime.decode import Draft, decode
from alpamayo_ros.training.reinforcement.speech import Seen
from alpamayo_ros.training.reinforcement.word_table import PAD, WordTable


class Drafted(NamedTuple):
    """Texts (B, L) padded with 0, and the hidden states (B, S, width) of states and texts."""

    tokens: Tensor
    hidden: Tensor


class _Feed:
    """A ``runtime.decode.Feed`` of one state; ``hidden``: what the sequence last gave."""

    def __init__(self, model: VLA, seen: Seen, longest: int) -> None:
        backbone, prefix = model.backbone, seen.ids.shape[1]
        x = torch.cat([backbone.embed(seen.ids), model.scene(seen.visual, seen.speed)], 1)
        self._backbone, self.first = backbone, x.shape[1]
        self._mask = model.attention_mask(seen.real, longest)
        self._positions = model.positions(prefix, longest)
        self._cache = backbone.new_cache(1, self.first + longest)
        self.hidden = x.new_zeros(1, self.first + longest, x.shape[2])
        self._pass(x, 0)

    def _pass(self, x: Tensor, at: int) -> None:
        span = slice(at, at + x.shape[1])
        mask = self._mask[:, :, span]
        self.hidden[:, span] = self._backbone(x, self._positions[span], mask, self._cache, at)

    def __call__(self, tokens: Sequence[int], start: int) -> Float[np.ndarray, 'N V']:
        at = self.first + start
        if tokens:
            ids = torch.tensor([tokens], device=self.hidden.device)
            self._pass(self._backbone.embed(ids), at)
        rows = self.hidden[:, at - 1 : at + len(tokens)]
        return self._backbone.logits(rows)[0].float().cpu().numpy()


@torch.no_grad()
def say_drafted(model: VLA, table: WordTable, seen: Seen, before: Sequence[str]) -> Drafted:
    """A text a state, the one that ``speech.say`` finds; ``before``: the drafts, '' for none."""
    texts, hidden, longest = [], [], table.longest
    for k, draft in enumerate(before):
        feed = _Feed(model, Seen(*(part[k : k + 1] for part in seen)), longest)
        texts.append(decode(table.grammar, feed, Draft(table.grammar, draft), longest).ids)
        hidden.append(feed.hidden)
    most = max(map(len, texts))
    tokens = seen.ids.new_full((len(texts), most), PAD)
    for k, text in enumerate(texts):
        tokens[k, : len(text)] = torch.tensor(text, device=tokens.device)
    return Drafted(tokens, torch.cat(hidden)[:, : feed.first + most])
