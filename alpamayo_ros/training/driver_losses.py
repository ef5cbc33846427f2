"""What the driver stages minimise: words, plan, truth on the fused tokens, feasibility.

The chain of causation is teacher-forced.  So that the plan does not lean on words that are true
only in training, the denoiser loses the words in half of the samples.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from alpamayo_ros.model.diffusion import add_noise
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.batches import Batch
from alpamayo_ros.training.feasibility import feasibility_loss
from alpamayo_ros.training.front import front_tokens
from alpamayo_ros.training.losses import known_truth_loss, plan_loss, text_loss
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.truth import NAMES

DRAWS = 2  # noise levels a sample


class DriverTrainer(nn.Module):
    """What stage 2 trains: the model less its per-timestep vision, plus a truth head.

    The head reads the fused tokens.
    """

    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.cross, self.temporal, self.ego = model.cross, model.temporal, model.ego
        self.backbone, self.dit = model.backbone, model.dit
        self.spatial_bias = model.spatial_bias
        width = model.profile.backbone.width
        n = front_tokens(model.profile)
        self.truth = nn.Sequential(
            nn.Linear(n * width, 192), nn.GELU(), nn.Linear(192, len(NAMES))
        )
        self.front = n


def driver_losses(
    model: VLA, head: DriverTrainer, b: Batch, regression: bool, generator: torch.Generator
) -> dict[str, Tensor]:
    """All losses of one batch; ``regression`` silences noise and time (the warm start)."""
    size = len(b.speed)
    with mixed(model.device):
        visual = see(model, b)
        hidden = model.hidden(b.prefix, b.prefix_valid, visual, b.speed, b.coc)
        start = b.prefix.shape[1] + model.profile.visual_tokens
        logits = model.backbone.logits(hidden[:, start:-1])
        truth = head.truth(visual[:, : head.front].flatten(1))
        mask = _context_mask(b, start + 1, hidden, generator)
        clean = model.dit.normalise(b.plan, b.speed)
        draws = 1 if regression else DRAWS
        predicted = one_step(model, hidden, mask, clean, b.speed, draws, regression, generator)
    repeated = clean.repeat_interleave(draws, 0)
    speed = b.speed.repeat_interleave(draws)
    metres = model.dit.to_metres(predicted.float(), speed)
    assert len(predicted) == size * draws
    return {
        'text': text_loss(logits, b.coc, b.choice),
        'plan': plan_loss(predicted.float(), repeated),
        'truth': known_truth_loss(truth.float(), b.truth),
        'feasible': feasibility_loss(metres, speed, model.profile.trajectory.dt_s),
    }


def see(model: VLA, b: Batch) -> Tensor:
    """Visual tokens (B, N, backbone width) of a batch of stored per-view tokens."""
    size, count = b.features.shape[:2]
    mixed = model.cross(b.features.flatten(0, 1), b.valid.flatten(0, 1))
    return model.fuse(mixed.reshape(size, count, *mixed.shape[1:]), b.age_s, b.valid)


def _context_mask(b: Batch, words: int, hidden: Tensor, generator: torch.Generator) -> Tensor:
    """(B, S) 1 where the denoiser may look.

    Padding of the text prefix is hidden, the words are dropped in half of the samples.
    """
    keep = torch.ones(hidden.shape[:2])
    keep[:, : b.prefix.shape[1]] = b.prefix_valid
    keep[:, words:] = (b.coc > 0).float()
    keep[:, words:] *= (torch.rand(len(keep), 1, generator=generator) > 0.5).float()
    return keep


def one_step(
    model: VLA,
    hidden: Tensor,
    mask: Tensor,
    clean: Tensor,
    speed: Tensor,
    draws: int,
    regression: bool,
    generator: torch.Generator,
) -> Tensor:
    """The clean plan (B * draws, P, 3, normalised) as predicted from one noise level a draw."""
    size, steps = len(clean), model.profile.diffusion.train_steps
    context, hide = model.dit.context(hidden), ((1.0 - mask) * MASKED)[:, None, None]
    if regression:
        x, t = torch.zeros_like(clean), torch.ones(size)
    else:
        level = torch.randint(1, steps + 1, (size * draws,), generator=generator)
        noise = torch.randn(size * draws, *clean.shape[1:], generator=generator)
        x = add_noise(clean.repeat_interleave(draws, 0), noise, model.alpha_bar[level])
        t = level / steps
    return model.dit(x, model.dit.condition(t, speed.repeat_interleave(draws)), context, hide)
