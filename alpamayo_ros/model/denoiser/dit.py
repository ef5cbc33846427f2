"""The trajectory denoiser as a DiT: some points a token, attending to the backbone in every block.

Scale, shift and gate of every block come from diffusion time and ego motion (Peebles and Xie
2023).  nano's blocks and the wide ones of the large members are two files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from alpamayo_ros.model.denoiser.denoiser import Denoiser, KeysValues, time_network
from alpamayo_ros.model.denoiser.dit_block import DiTBlock
from alpamayo_ros.model.denoiser.wide_block import WideBlock
from alpamayo_ros.model.ego import EgoEncoder
from alpamayo_ros.profile import ModelProfile


class DiT(Denoiser):
    """Plan tokens through blocks of self-attention, cross-attention and feed-forward."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__(profile)
        d, context = profile.denoiser, profile.backbone.width
        self.chunk = 3 * d.points_per_token
        self.inp = nn.Linear(self.chunk, d.width)
        self.position = nn.Parameter(
            torch.randn(1, self.points // d.points_per_token, d.width) * 0.02
        )
        self.time = time_network(d.width)
        self.ego = EgoEncoder(d.width, d.width)
        self.blocks = nn.ModuleList(
            DiTBlock(d.width, d.heads, context) if d.ffn is None else WideBlock(d, context)
            for _ in range(d.layers)
        )
        self.norm = nn.LayerNorm(d.width)
        self.out = nn.Linear(d.width, self.chunk)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def context(self, hidden: Tensor) -> KeysValues:
        """One pair a block, see :meth:`Denoiser.context`."""
        return [block.cross.keys_values(hidden) for block in self.blocks]

    def forward(self, x: Tensor, c: Tensor, context: KeysValues, mask: Tensor) -> Tensor:
        """(B, P, 3) -> (B, P, 3), see :meth:`Denoiser.forward`."""
        x = x.to(self.inp.weight.dtype)
        h = self.inp(x.reshape(len(x), -1, self.chunk)) + self.position
        for block, (k, v) in zip(self.blocks, context, strict=True):
            h = block(h, c, k, v, mask.to(h.dtype))
        return self.out(self.norm(h)).reshape(len(x), self.points, 3)
