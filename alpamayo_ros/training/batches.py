"""Batches of the driver stages: stored features, words, plans; inputs dropped at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.front import front_views

SILENT = 0.05  # share of samples that lose instruction and prompt


@dataclass
class Batch:
    """One batch of stage 2, all tensors."""

    features: Tensor
    age_s: Tensor
    valid: Tensor
    speed: Tensor
    coc: Tensor
    choice: Tensor
    plan: Tensor
    truth: Tensor
    prefix: Tensor
    prefix_valid: Tensor


class Batches:
    """Draws batches of stage 2 from a dataset, its features and the grammar."""

    def __init__(
        self, model: VLA, data: Dataset, features: Tensor, grammar: Grammar, seed: int
    ) -> None:
        self.data, self.features, self.grammar = data, features, grammar
        self.views, self.front = len(model.profile.views), len(front_views(model.profile))
        self.rng = np.random.default_rng(seed)
        self.weights = data.weights()
        self.choice = choice_weights(grammar, data.rows['coc'])
        self.silence = torch.tensor(prefix_ids(grammar.tokenizer, '', '', 4))

    def draw(self, size: int) -> Batch:
        """A random batch with input dropout: side cameras, past timesteps, instruction."""
        rows = self.rng.choice(len(self.data), size, p=self.weights)
        batch = self.gather(rows)
        valid = batch.valid
        sides = self.rng.random((size, 1, self.views - self.front)) > 0.1
        valid[:, :, self.front :] *= torch.from_numpy(sides)
        past = torch.from_numpy(
            (self.rng.random((size, valid.shape[1])) > 0.08) & (self.rng.random((size, 1)) > 0.08)
        )
        past[:, 0] = True
        batch.valid = valid * past[:, :, None]
        silent = torch.from_numpy(self.rng.random((size, 1)) < SILENT)
        batch.prefix, batch.prefix_valid = without_words(
            batch.prefix, batch.prefix_valid, silent, self.silence
        )
        return batch

    def gather(self, rows: np.ndarray) -> Batch:
        """The samples ``rows`` without dropout."""
        r = {k: torch.from_numpy(v[rows]) for k, v in self.data.rows.items()}
        valid = r['past'].float()[:, :, None] * r['seen'].float()[:, None]
        prefix, prefix_valid = real_prefix(r['prefix'])
        return Batch(
            self.features[r['frames'].long()].float(),
            r['age_s'].float()[:, :, None].repeat(1, 1, self.views),
            valid,
            r['speed'].float(),
            r['coc'].long(),
            torch.from_numpy(self.choice[rows]),
            r['plan'].float(),
            r['truth'].float(),
            prefix,
            prefix_valid,
        )


def real_prefix(prefix: Tensor) -> tuple[Tensor, Tensor]:
    """Stored prefixes (B, X), -1 on padding, as ids and validity, cut to the longest."""
    longest = int((prefix >= 0).sum(1).max())
    cut = prefix[:, :longest].long()
    return cut.clamp(min=0), (cut >= 0).float()


def without_words(
    prefix: Tensor, valid: Tensor, silent: Tensor, silence: Tensor
) -> tuple[Tensor, Tensor]:
    """Instruction and prompt taken from the rows where ``silent`` (B, 1): only openers stay.

    ``silence``: the ids of a prefix without words; it is the shortest there is.
    """
    empty = torch.zeros_like(prefix)
    empty[:, : len(silence)] = silence
    kept = (torch.arange(prefix.shape[1], device=prefix.device) < len(silence)).float()
    return torch.where(silent, empty, prefix), torch.where(silent, kept[None], valid)


def choice_weights(grammar: Grammar, coc: np.ndarray) -> np.ndarray:
    """(S, L) loss weight of each CoC token.

    1 where the grammar leaves a choice, 0.05 where not, 0 on padding and without words.
    """
    out = np.zeros(coc.shape, np.float32)
    unique, inverse = np.unique(coc, axis=0, return_inverse=True)
    table = np.zeros(unique.shape, np.float32)
    for i, row in enumerate(unique):
        state = grammar.start
        for j, token in enumerate(row):
            if grammar.done(state) or token == 0:
                break
            table[i, j] = 1.0 if len(grammar.allowed(state)) > 1 else 0.05
            state = grammar.advance(state, int(token))
    out[:] = table[inverse.ravel()]
    return out
