"""The trajectory denoiser as a temporal U-Net with cross-attention at every level.

Convolutions over the plan's points, halved from level to level and doubled again, each residual
block scaled and shifted by diffusion time and speed (Chi et al. 2023, "Diffusion Policy"); after
the blocks of a level its points attend to the backbone's hidden states (Rombach et al. 2022).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.layer_shapes import DenoiserShape
from alpamayo_ros.model.attention import GroupedCrossAttention
from alpamayo_ros.model.denoiser.denoiser import Denoiser, KeysValues, time_network
from alpamayo_ros.model.ego import EgoEncoder
from alpamayo_ros.profile import ModelProfile

GROUPS = 8  # of the norms, as in Diffusion Policy


class ResidualBlock(nn.Module):
    """Two convolutions over (B, channels, points), modulated by ``c`` between them."""

    def __init__(self, inside: int, outside: int, condition: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, inside), nn.GroupNorm(GROUPS, outside)
        self.first = nn.Conv1d(inside, outside, 3, padding=1)
        self.second = nn.Conv1d(outside, outside, 3, padding=1)
        self.modulation = nn.Linear(condition, 2 * outside)
        self.skip = nn.Identity() if inside == outside else nn.Conv1d(inside, outside, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.modulation(F.silu(c))[..., None].chunk(2, 1)
        y = self.first(F.silu(self.norm1(x)))
        y = self.second(F.silu(self.norm2(y) * (1 + scale) + shift))
        return self.skip(x) + y


class Level(nn.Module):
    """Residual blocks, then cross-attention: (B, inside, n) -> (B, outside, n)."""

    def __init__(self, inside: int, outside: int, d: DenoiserShape, context: int) -> None:
        super().__init__()
        channels = [inside, *[outside] * d.layers]
        self.blocks = nn.ModuleList(ResidualBlock(i, o, d.width) for i, o in pairwise(channels))
        self.norm = nn.LayerNorm(outside)
        self.cross = GroupedCrossAttention(
            outside, context, d.heads, d.kv_heads or d.heads, d.head_width
        )

    def forward(self, x: Tensor, c: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, c)
        y = self.norm(x.transpose(1, 2))
        return x + self.cross.attend(y, k, v, mask).transpose(1, 2)


class TemporalUNet(Denoiser):
    """Levels down, one in the middle, levels up; each level up also reads its partner's output."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__(profile)
        d, context = profile.denoiser, profile.backbone.width
        first, last = d.levels[0], d.levels[-1]
        down = [(first, first), *pairwise(d.levels)]
        up = [(o + o, i) for i, o in reversed(down)]
        sizes = [*down, (last, last), *up]
        self.inp = nn.Conv1d(3, first, 3, padding=1)
        self.time = time_network(d.width)
        self.ego = EgoEncoder(d.width, d.width)
        self.levels = nn.ModuleList(Level(i, o, d, context) for i, o in sizes)
        self.shrink = nn.ModuleList(nn.Conv1d(n, n, 3, 2, 1) for n in d.levels[:-1])
        self.grow = nn.ModuleList(nn.Conv1d(n, n, 3, padding=1) for n in d.levels[-2::-1])
        self.norm = nn.GroupNorm(GROUPS, first)
        self.out = nn.Conv1d(first, 3, 3, padding=1)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def context(self, hidden: Tensor) -> KeysValues:
        """One pair a level, see :meth:`Denoiser.context`."""
        return [level.cross.keys_values(hidden) for level in self.levels]

    def forward(self, x: Tensor, c: Tensor, context: KeysValues, mask: Tensor) -> Tensor:
        """(B, P, 3) -> (B, P, 3), see :meth:`Denoiser.forward`."""
        x = x.to(self.inp.weight.dtype)
        h, kept, depth = self.inp(x.transpose(1, 2)), [], len(self.shrink)
        seen = [(level, *pair) for level, pair in zip(self.levels, context, strict=True)]
        for i, (level, k, v) in enumerate(seen[: depth + 1]):
            h = level(h, c, k, v, mask.to(h.dtype))
            kept.append(h)
            h = self.shrink[i](h) if i < depth else h
        level, k, v = seen[depth + 1]
        h = level(h, c, k, v, mask.to(h.dtype))
        for i, (level, k, v) in enumerate(seen[depth + 2 :]):
            h = level(torch.cat([h, kept.pop()], 1), c, k, v, mask.to(h.dtype))
            h = self.grow[i](h.repeat_interleave(2, -1)) if i < depth else h
        return self.out(F.silu(self.norm(h))).transpose(1, 2)
