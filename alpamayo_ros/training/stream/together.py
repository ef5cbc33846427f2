"""Several trainers as one (``torchrun``): mean gradients, one start, one end.

Every rank has simulators and a ring of its own; rank 0 publishes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import distributed, nn


class Together:
    """The ranks of a run; alone it does nothing."""

    def __init__(self) -> None:
        self.rank = int(os.environ.get('RANK', '0'))
        self.size = int(os.environ.get('WORLD_SIZE', '1'))
        cuda = torch.cuda.is_available()
        local = int(os.environ.get('LOCAL_RANK', '0'))
        self.device = torch.device('cuda', local) if cuda else torch.device('cpu')
        if self.size > 1:
            distributed.init_process_group('nccl' if cuda else 'gloo')

    @property
    def leads(self) -> bool:
        """Whether this is the rank that publishes."""
        return self.rank == 0

    def same_start(self, module: nn.Module) -> None:
        """Give every rank the weights and statistics of rank 0."""
        if self.size > 1:
            for value in module.state_dict().values():
                distributed.broadcast(value, 0)

    def agree(self, *values: float) -> list[float]:
        """The values of rank 0, on every rank."""
        if self.size == 1:
            return list(values)
        word = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(word, 0)
        return word.tolist()

    def mean_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Average the gradients of all ranks."""
        if self.size == 1:
            return
        got = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        flat = torch.cat([g.flatten() for g in got])
        distributed.all_reduce(flat)
        means = (flat / self.size).split([p.numel() for p in parameters])
        for p, mean in zip(parameters, means, strict=True):
            p.grad = mean.view_as(p)

    def all(self, word: bool) -> bool:
        """Whether all ranks say so."""
        if self.size == 1:
            return word
        missing = torch.tensor([float(not word)], device=self.device)
        distributed.all_reduce(missing)
        return bool(missing[0] == 0)

    def close(self) -> None:
        """Leave the group."""
        if self.size > 1:
            distributed.destroy_process_group()
