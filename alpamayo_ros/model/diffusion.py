"""Diffusion schedules and samplers: DDPM in training, DDIM or ``sampler`` at run time.

alpha-bar index 0 is clean data, index ``train_steps`` is (almost) pure noise.
Sources: Ho et al. 2020; Nichol and Dhariwal 2021 (cosine); Song et al. 2021 (DDIM).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from alpamayo_ros.profile import Diffusion

Scalar = Tensor | float
CLIP = 6.0  # standard deviations


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


def levels(a: float, b: float) -> tuple[float, float, float, float]:
    """Amplitudes of signal and noise before and after a step from alpha-bar ``a`` to ``b``."""
    return math.sqrt(a), math.sqrt(1 - a), math.sqrt(b), math.sqrt(1 - b)


def to_sample(prediction: Tensor, x: Tensor, signal: Scalar, noise: Scalar, kind: str) -> Tensor:
    """The clean sample that a prediction implies where ``x`` = signal * clean + noise * eps."""
    if kind == 'sample':
        return prediction
    if kind == 'epsilon':
        return (x - noise * prediction) / signal
    return signal * x - noise * prediction


def denoise_step(
    prediction: Tensor, x: Tensor, step: Sequence[Scalar] | Tensor, kind: str
) -> tuple[Tensor, Tensor]:
    """One deterministic DDIM step: the clean sample as predicted, and the less noisy one.

    ``step``: the four amplitudes of :func:`levels`.  The clean sample, in units of its spread, is
    kept within 6.
    """
    x0 = to_sample(prediction, x, step[0], step[1], kind).clamp(-CLIP, CLIP)
    eps = (x - step[0] * x0) / step[1]
    return x0, step[2] * x0 + step[3] * eps


def fresh_amplitude(step: Sequence[float], eta: float) -> float:
    """Amplitude of the noise that :func:`stochastic_step` adds; 0 on the way to clean data."""
    signal, spread, next_signal, next_spread = step
    return eta * next_spread / spread * math.sqrt(1 - (signal / next_signal) ** 2)


def stochastic_step(
    prediction: Tensor, x: Tensor, step: Sequence[float], kind: str, noise: Tensor, eta: float
) -> tuple[Tensor, Tensor]:
    """One step with fresh ``noise``: the clean sample as predicted, and the less noisy one.

    ``eta`` 0 is :func:`denoise_step`; 1, between neighbouring levels, is DDPM's ancestral step
    with the variance of the posterior (Song et al. 2021, equations 12 and 16).
    """
    x0, _ = denoise_step(prediction, x, step, kind)
    signal, spread, next_signal, next_spread = step
    sigma = fresh_amplitude(step, eta)
    kept = math.sqrt(next_spread**2 - sigma**2)
    return x0, next_signal * x0 + kept * (x - signal * x0) / spread + sigma * noise
