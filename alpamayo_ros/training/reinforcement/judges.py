"""Two networks that judge: do words and plan belong together, and how will the drive end?

They read detached values alone, so that judging never changes what is judged.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.attention import Block
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.speech import spoken

WIDTH, HEADS = 64, 4
TYPICAL_MPS = 10.0
NEAR = 4  # a plan is swapped with one of the so many next in speed


class Discriminator(nn.Module):
    """Logit that a text (its own embedding, one block of attention) and a plan agree."""

    def __init__(self, words: int, longest: int, points: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, WIDTH)
        self.place = nn.Parameter(torch.randn(1, longest, WIDTH) * 0.02)
        self.block = Block(WIDTH, HEADS)
        self.plan = nn.Sequential(
            nn.Linear(3 * points + 1, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH)
        )
        self.out = nn.Sequential(nn.Linear(3 * WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1))

    def forward(self, tokens: Tensor, plan: Tensor, speed_mps: Tensor) -> Tensor:
        """Texts (B, L), plans (B, P, 3) in network units -> (B,)."""
        real = spoken(tokens)
        x = self.embed(tokens) + self.place[:, : tokens.shape[1]]
        x = self.block(x, mask=((1.0 - real) * -1e4)[:, None, None])
        text = (x * real[..., None]).sum(1) / real.sum(1, keepdim=True).clamp(min=1.0)
        moved = self.plan(torch.cat([plan.flatten(1), speed_mps[:, None] / TYPICAL_MPS], 1))
        return self.out(torch.cat([text, moved, text * moved], 1))[:, 0]


def swapped(speed_mps: Tensor) -> Tensor:
    """(B,) another sample for each, near in speed; who is swapped with whom is drawn."""
    order = speed_mps.argsort()
    by = int(torch.randint(1, min(NEAR, len(order) - 1) + 1, ()))
    found = torch.empty_like(order)
    found[order] = order.roll(by)
    return found


def discriminator_loss(
    judge: Discriminator, tokens: Tensor, plan: Tensor, speed_mps: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-entropy and share right of true pairs against words with another's plan and speed.

    Equal words are not swapped; samples without words do not count.
    """
    other = swapped(speed_mps)
    counts = spoken(tokens).amax(1)
    differ = counts * (tokens != tokens[other]).any(1).float()
    logits = torch.cat(
        [judge(tokens, plan, speed_mps), judge(tokens, plan[other], speed_mps[other])]
    )
    truth = torch.cat([torch.ones_like(counts), torch.zeros_like(counts)])
    weight = torch.cat([differ, differ])
    loss = F.binary_cross_entropy_with_logits(logits, truth, reduction='none')
    total = weight.sum().clamp(min=1.0)
    right = ((logits > 0) == (truth > 0)).float()
    return (loss * weight).sum() / total, (right * weight).sum() / total


class Judges(nn.Module):
    """Discriminator, and critic: the scene_score to come (0 to 1) from the scene's last token."""

    def __init__(self, model: VLA, longest: int) -> None:
        super().__init__()
        profile = model.profile
        points = profile.trajectory.points
        self.agreement = Discriminator(profile.text.vocab_size, longest, points)
        self.critic = nn.Sequential(
            nn.Linear(profile.backbone.width, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1)
        )

    def score(self, hidden: Tensor) -> Tensor:
        """(B, width) -> (B,) the score that is expected."""
        return torch.sigmoid(self.critic(hidden)[:, 0])
