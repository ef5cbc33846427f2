"""Batches of the driver stages: stored features, words, plans; inputs dropped at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.front import front_views


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
        self.prefix, self.prefix_valid = prefix_pool(grammar, model.profile.text.max_prefix)

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
        pick = torch.from_numpy(
            np.where(self.rng.random(size) < 0.7, 0, self.rng.integers(0, len(self.prefix), size))
        )
        batch.prefix, batch.prefix_valid = self.prefix[pick], self.prefix_valid[pick]
        return batch

    def gather(self, rows: np.ndarray) -> Batch:
        """The samples ``rows`` without dropout."""
        r = {k: torch.from_numpy(v[rows]) for k, v in self.data.rows.items()}
        valid = r['past'].float()[:, :, None].repeat(1, 1, self.views)
        length = int(self.prefix_valid[0].sum())
        prefix = self.prefix[0, :length].repeat(len(rows), 1)
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
            torch.ones(prefix.shape),
        )


def prefix_pool(grammar: Grammar, max_prefix: int) -> tuple[Tensor, Tensor]:
    """Padded text prefixes and their validity: the usual instruction, others, idle prompts.

    This first nano has no junctions to turn at: other words are noise to it, and it learns to
    drive on regardless.
    """
    texts = [
        (FOLLOW_TEXT, ''),
        ('', ''),
        ('turn left in 100 m', ''),
        ('turn right in 40 m', ''),
        ('go straight', ''),
    ]
    texts += [
        (FOLLOW_TEXT, p)
        for p in ('drive carefully', 'slowly please', 'wet road', 'children', 'comfortably')
    ]
    rows = [prefix_ids(grammar.tokenizer, *pair, max_prefix) for pair in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([[*r, *[0] * (longest - len(r))] for r in rows])
    valid = torch.tensor([[1.0] * len(r) + [0.0] * (longest - len(r)) for r in rows])
    return ids, valid


def choice_weights(grammar: Grammar, coc: np.ndarray) -> np.ndarray:
    """(S, L) loss weight of each CoC token.

    1 where the grammar leaves a choice, 0.05 where not, 0 on padding.
    """
    out = np.zeros(coc.shape, np.float32)
    unique, inverse = np.unique(coc, axis=0, return_inverse=True)
    table = np.zeros(unique.shape, np.float32)
    for i, row in enumerate(unique):
        state = grammar.start
        for j, token in enumerate(row):
            if grammar.done(state):
                break
            table[i, j] = 1.0 if len(grammar.allowed(state)) > 1 else 0.05
            state = grammar.advance(state, int(token))
    out[:] = table[inverse.ravel()]
    return out
