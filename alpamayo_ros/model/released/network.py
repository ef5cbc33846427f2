"""Alpamayo 1.5 as one module: vision tower, language model, action expert."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from alpamayo_ros.model.released.expert import Expert
from alpamayo_ros.model.released.sizes import Sizes
from alpamayo_ros.model.released.stack import Cache, Place, Stack
from alpamayo_ros.model.released.tower import Tower


class Language(nn.Module):
    """Qwen3-VL's language model: words in, hidden states out; ``head`` makes scores of them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embed = nn.Embedding(sizes.words, sizes.language.width)
        self.stack = Stack(sizes.language)
        self.head = nn.Linear(sizes.language.width, sizes.words, bias=False)

    def forward(
        self,
        ids: Tensor,
        place: Place,
        cache: Cache,
        pictures: Sequence[Tensor] = (),
        at: Tensor | None = None,
    ) -> Tensor:
        """Hidden states (N, width) of ``ids`` (N), which are written into ``cache``.

        ``pictures``: what the tower gave, flattened; they stand at the positions ``at``.
        """
        x: Tensor = self.embed(ids)
        if pictures:
            assert at is not None
            x = x.index_copy(0, at, pictures[0].to(x.dtype))
        hidden: Tensor = self.stack(x, place, cache, pictures[1:], at)
        return hidden


class Network(nn.Module):
    """The three networks; :mod:`cycle` runs them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.tower = Tower(sizes.tower)
        self.language = Language(sizes)
        self.expert = Expert(sizes)


def build(sizes: Sizes, device: str, dtype: torch.dtype) -> Network:
    """The network without values on ``device``; ``weights.randomise`` or ``load`` fill it."""
    with torch.device('meta'):
        network = Network(sizes).to(dtype)
    return network.to_empty(device=device).eval().requires_grad_(False)
