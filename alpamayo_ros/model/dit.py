"""The trajectory denoiser: a small DiT, five points a token, attending to the backbone.

Every layer cross-attends.  Plans are normalised as the deviation from driving straight on at the
present speed, one mean and one scale per point with a floor (docs/design.md, "Trajectory").  The
network predicts the clean plan.  Scale, shift and gate of every block come from diffusion time and
ego motion (Peebles and Xie 2023).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from alpamayo_ros.model.attention import Attention
from alpamayo_ros.model.ego import EgoEncoder
from alpamayo_ros.model.mlp import GeluMlp
from alpamayo_ros.profile import ModelProfile

KeysValues = list[tuple[Tensor, Tensor]]


class DiTBlock(nn.Module):
    """Self-attention over plan tokens, cross-attention to the context, feed-forward.

    All three are modulated.
    """

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(3))
        self.modulation = nn.Linear(width, 9 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.own = Attention(width, heads)
        self.cross = Attention(width, heads, context)
        self.mlp = GeluMlp(width, 4 * width)

    def forward(self, x: Tensor, c: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        m = self.modulation(c)[:, None].chunk(9, -1)
        y = self.norms[0](x) * (1 + m[0]) + m[1]
        x = x + (1 + m[2]) * self.own(y, y)
        y = self.norms[1](x) * (1 + m[3]) + m[4]
        x = x + (1 + m[5]) * self.cross.attend(y, k, v, mask)
        y = self.norms[2](x) * (1 + m[6]) + m[7]
        return x + (1 + m[8]) * self.mlp(y)


class DiT(nn.Module):
    """Noisy normalised plans (B, P, 3) at time t in 0..1 to predicted clean ones."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        d, p = profile.denoiser, profile.trajectory.points
        self.points, self.chunk = p, 3 * d.points_per_token
        self.dt_s = profile.trajectory.dt_s
        self.inp = nn.Linear(self.chunk, d.width)
        self.position = nn.Parameter(torch.randn(1, p // d.points_per_token, d.width) * 0.02)
        self.time = nn.Sequential(nn.Linear(64, d.width), nn.SiLU(), nn.Linear(d.width, d.width))
        self.ego = EgoEncoder(d.width, d.width)
        self.blocks = nn.ModuleList(
            DiTBlock(d.width, d.heads, profile.backbone.width) for _ in range(d.layers)
        )
        self.norm = nn.LayerNorm(d.width)
        self.out = nn.Linear(d.width, self.chunk)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer('mean', torch.zeros(p, 3))
        self.register_buffer('std', torch.ones(p, 3))

    def context(self, hidden: Tensor) -> KeysValues:
        """Keys and values of the backbone's hidden states (B, S, width), one pair a layer.

        Computed once a cycle.
        """
        return [block.cross.keys_values(hidden) for block in self.blocks]

    def condition(self, t: Tensor, speed_mps: Tensor) -> Tensor:
        """(B, width) from diffusion time in 0..1 and present speed."""
        return self.time_embedding(t) + self.ego(speed_mps)

    def time_embedding(self, t: Tensor) -> Tensor:
        """(B,) diffusion time in 0..1 -> (B, width)."""
        f = torch.exp(torch.linspace(0, math.log(1000.0), 32, device=t.device)) * t[:, None]
        return self.time(torch.cat([f.sin(), f.cos()], 1))

    def forward(self, x: Tensor, c: Tensor, context: KeysValues, mask: Tensor) -> Tensor:
        """``c`` from :meth:`condition`; K neighbours of x share a context and its mask."""
        h = self.inp(x.reshape(len(x), -1, self.chunk)) + self.position
        for block, (k, v) in zip(self.blocks, context, strict=True):
            h = block(h, c, k, v, mask.to(h.dtype))
        return self.out(self.norm(h)).reshape(len(x), self.points, 3)

    def straight(self, speed_mps: Tensor) -> Tensor:
        """(B, P, 3) metres: driving straight on at the present speed."""
        t = torch.arange(1, self.points + 1, device=speed_mps.device) * self.dt_s
        x = speed_mps[:, None] * t
        return torch.stack([x, torch.zeros_like(x), torch.zeros_like(x)], -1)

    def normalise(self, plan: Tensor, speed_mps: Tensor) -> Tensor:
        """Metres and radians to network units."""
        return (plan - self.straight(speed_mps) - self.mean) / self.std

    def to_metres(self, z: Tensor, speed_mps: Tensor) -> Tensor:
        """Network units to metres and radians in base_link at t0."""
        return z * self.std + self.mean + self.straight(speed_mps)
