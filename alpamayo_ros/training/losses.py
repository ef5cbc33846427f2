"""Losses: dense truth, chain of causation, denoising."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.training.truth import FACTS, GEOMETRY, LEADER, SCALE, SEEN


def truth_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Smooth L1 on scaled geometry, cross-entropy on facts.

    Leader values count only where a leader is seen.  ``prediction`` is in scaled units, ``truth``
    in SI (see ``training.truth``).
    """
    scaled = truth / torch.as_tensor(SCALE, device=truth.device)
    seen = truth[:, SEEN, None]
    geometry = F.smooth_l1_loss(prediction[:, GEOMETRY], scaled[:, GEOMETRY], beta=0.3)
    leader = F.smooth_l1_loss(prediction[:, LEADER], scaled[:, LEADER], beta=0.3, reduction='none')
    binary = [SEEN, *FACTS]
    facts = F.binary_cross_entropy_with_logits(
        prediction[:, binary], truth[:, binary], reduction='none'
    )
    facts = torch.cat([facts[:, :1], facts[:, 1:] * seen], 1)
    return 3.5 * geometry + 2.0 * (leader * seen).mean() + 0.5 * facts.mean()


def known_truth_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """``truth_loss`` over the samples whose truth is known (no NaN); 0 where it is of none."""
    known = known_rows(truth)
    return truth_loss(prediction[known], truth[known]) if known.any() else prediction.sum() * 0.0


def known_rows(truth: Tensor) -> Tensor:
    """(B,) True where somebody knows the dense truth of a sample."""
    return ~truth.isnan().any(1)


def text_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted next-token cross-entropy.

    ``weight`` (B, L) is small where the grammar leaves no choice.
    """
    loss = F.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), reduction='none')
    return (loss * weight.flatten()).sum() / weight.sum().clamp(min=1.0)


def plan_loss(prediction: Tensor, clean: Tensor) -> Tensor:
    """Smooth L1 between predicted and clean plan in network units."""
    return F.smooth_l1_loss(prediction, clean, beta=0.3)
