"""Diffusion schedules and samplers: DDPM in training, DDIM (eta = 0) at run time.

alpha-bar index 0 is clean data, index ``train_steps`` is (almost) pure noise.
Sources: Ho et al. 2020; Nichol and Dhariwal 2021 (cosine); Song et al. 2021 (DDIM).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from alpamayo_ros.profile import Diffusion


def alpha_bar(diffusion: Diffusion) -> Tensor:
    """(train_steps + 1,) cumulative signal power, from 1 down, floored at 1e-4."""
    t = torch.arange(diffusion.train_steps + 1, dtype=torch.float64) / diffusion.train_steps
    if diffusion.schedule == 'squaredcos_cap_v2':
        a = torch.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
        return (a / a[0]).clamp(1e-4, 1.0).float()
    betas = torch.linspace(1e-4, 0.02, diffusion.train_steps, dtype=torch.float64) * (
        1000 / diffusion.train_steps
    )
    return (
        torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])
        .clamp(min=1e-4)
        .float()
    )


def sample_steps(diffusion: Diffusion, steps: int | None = None) -> list[tuple[int, int]]:
    """Pairs (from, to) of timesteps a DDIM sampler walks, from train_steps down to 0."""
    points = (
        torch.linspace(diffusion.train_steps, 0, (steps or diffusion.sample_steps) + 1)
        .round()
        .long()
        .tolist()
    )
    return list(zip(points[:-1], points[1:], strict=True))


def add_noise(clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
    """``sqrt(a) x0 + sqrt(1 - a) eps`` for alpha-bar ``level`` (B,)."""
    a = level.reshape(-1, *[1] * (clean.dim() - 1))
    return a.sqrt() * clean + (1 - a).sqrt() * noise


def to_sample(prediction: Tensor, x: Tensor, a: Tensor | float, kind: str) -> Tensor:
    """The clean sample that a prediction of the given kind implies at alpha-bar ``a``."""
    a = torch.as_tensor(a, dtype=x.dtype, device=x.device)
    if kind == 'sample':
        return prediction
    if kind == 'epsilon':
        return (x - (1 - a).sqrt() * prediction) / a.sqrt()
    return a.sqrt() * x - (1 - a).sqrt() * prediction


def ddim_step(x0: Tensor, x: Tensor, a: float, b: float) -> Tensor:
    """One deterministic step from alpha-bar ``a`` to ``b`` given the predicted clean sample."""
    eps = (x - math.sqrt(a) * x0) / math.sqrt(1 - a)
    return math.sqrt(b) * x0 + math.sqrt(1 - b) * eps
