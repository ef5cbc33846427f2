"""Proximal policy optimisation: advantages, the clipped loss, distance to a reference.

Sources: Schulman et al. 2017, equation 7; Kool et al. 2019 (the mean of the other answers to the
same question as baseline, which needs no critic).
"""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_SPREAD = 1e-4  # of rewards; below it all answers are equally good


def advantages(rewards: Tensor) -> Tensor:
    """Rewards (B, G) of G answers a state -> by how much each is better than the others.

    In units of their spread over the whole batch; 0 where all are equal.
    """
    group = rewards.shape[1]
    better = (rewards - rewards.mean(1, keepdim=True)) * (group / (group - 1))
    spread = better.square().mean().sqrt()
    return better / spread if spread > LEAST_SPREAD else torch.zeros_like(better)


def clipped(
    now: Tensor, before: Tensor, advantage: Tensor, clip: float, counts: Tensor | None = None
) -> Tensor:
    """Mean of -min(r A, clip(r, 1 - clip, 1 + clip) A), r = exp(now - before).

    Log-likelihoods and advantages of one shape; ``counts``: weights, 0 where nothing was chosen.
    """
    ratio = (now - before).exp()
    loss = -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
    return weighted(loss, counts)


def outside(now: Tensor, before: Tensor, clip: float, counts: Tensor | None = None) -> Tensor:
    """Share of ratios that the clip binds."""
    return weighted((((now - before).exp() - 1).abs() > clip).float(), counts)


def categorical_kl(now: Tensor, reference: Tensor) -> Tensor:
    """KL(now, reference) of log-probabilities (..., V) that refuse the same tokens -> (...)."""
    off = torch.where(now.isfinite(), now - reference, torch.zeros_like(now))
    return (now.exp() * off).sum(-1)


def weighted(values: Tensor, counts: Tensor | None) -> Tensor:
    """Mean of ``values`` by weights; 0 where all weights are."""
    if counts is None:
        return values.mean()
    return (values * counts).sum() / counts.sum().clamp(min=1.0)
