"""From pooled view tokens to the backbone: cross-camera, then temporal attention.

Everything up to the cross-camera block depends on one timestep alone, so its result is a feature
that a runtime keeps.  Temporal attention lets the newest timestep's tokens look at all T
timesteps, each marked with its true age, and projects the result to the backbone's width.
A backbone that reads every timestep needs no temporal attention: tokens are projected alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from alpamayo_ros.model.attention import Block
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.profile import ModelProfile


def token_view_index(profile: ModelProfile) -> Tensor:
    """(N,) the view each visual token of a timestep belongs to."""
    return torch.tensor([i for i, view in enumerate(profile.views) for _ in range(view.tokens)])


class CrossCamera(nn.Module):
    """Attention over all views' tokens of one timestep.

    Lost views are replaced by a learned token.
    """

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        v = profile.vision
        self.register_buffer('view_of', token_view_index(profile), persistent=False)
        self.slot = nn.Parameter(torch.randn(1, profile.visual_tokens, v.width) * 0.02)
        self.missing = nn.Parameter(torch.zeros(1, 1, v.width))
        self.blocks = nn.ModuleList(Block(v.width, v.heads) for _ in range(v.fusion_layers))
        self.norm = nn.LayerNorm(v.width)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """tokens (B, N, width), valid (B, V) float 0 or 1 -> features (B, N, width)."""
        keep = valid[:, self.view_of, None].to(tokens.dtype)
        x = tokens * keep + self.missing * (1 - keep) + self.slot
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def age_embedding(age_s: Tensor, width: int) -> Tensor:
    """Sinusoids of an age in seconds, periods 0.2 s to 20 s: (...,) -> (..., width)."""
    periods = torch.exp(
        torch.linspace(math.log(0.2), math.log(20.0), width // 2, device=age_s.device)
    )
    phase = age_s[..., None] * (2 * math.pi / periods)
    return torch.cat([phase.sin(), phase.cos()], -1)


class Temporal(nn.Module):
    """(B, T, N, width) features, newest first -> (B, N, backbone width).

    True ages are (B, T, V).
    """

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        v = profile.vision
        self.width = v.width
        self.register_buffer('view_of', token_view_index(profile), persistent=False)
        self.age = nn.Linear(v.width, v.width)
        self.blocks = nn.ModuleList(Block(v.width, v.heads) for _ in range(v.fusion_layers))
        self.norm = nn.LayerNorm(v.width)
        self.project = nn.Linear(v.width, profile.backbone.width)
        self.slot = nn.Parameter(
            torch.randn(1, profile.visual_tokens, profile.backbone.width) * 0.02
        )

    def forward(self, features: Tensor, age_s: Tensor, valid: Tensor) -> Tensor:
        """``valid`` (B, T, V) float: tokens of lost views are not looked at."""
        b, t, n, d = features.shape
        numbers = age_embedding(age_s, self.width).to(self.age.weight.dtype)
        age = self.age(numbers).to(features.dtype)
        x = features + age[:, :, self.view_of]
        past = x.reshape(b, t * n, d)
        hidden = (1.0 - valid[:, :, self.view_of].reshape(b, 1, 1, t * n)) * MASKED
        x = x[:, 0]
        for block in self.blocks:
            x = block(x, past, hidden.to(x.dtype))
        return self.project(self.norm(x)) + self.slot


class EveryTimestep(nn.Module):
    """(B, T, N, width) features, newest first -> (B, T * N, backbone width), oldest first.

    A token depends on its own timestep alone and carries no age, so that its keys stay true while
    it grows older; the ages are a token of their own (:class:`AgeToken`).
    """

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        v = profile.vision
        self.norm = nn.LayerNorm(v.width)
        self.project = nn.Linear(v.width, profile.backbone.width)
        self.slot = nn.Parameter(
            torch.randn(1, 1, profile.visual_tokens, profile.backbone.width) * 0.02
        )

    def forward(self, features: Tensor, age_s: Tensor, valid: Tensor) -> Tensor:
        """Lost views are in ``features`` already; ``age_s`` and ``valid`` are not read."""
        return (self.project(self.norm(features)) + self.slot).flip(1).flatten(1, 2)


class AgeToken(nn.Module):
    """True ages (B, T, V) in seconds -> one token (B, 1, width)."""

    def __init__(self, profile: ModelProfile, hidden: int) -> None:
        super().__init__()
        count = profile.frames.count * len(profile.views)
        width = profile.backbone.width
        self.net = nn.Sequential(nn.Linear(count, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def forward(self, age_s: Tensor) -> Tensor:
        return self.net(age_s.flatten(1).to(next(self.parameters()).dtype))[:, None]
