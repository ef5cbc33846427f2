"""Reads dense truth out of tokens, to be thrown away after training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.stream import dense
from alpamayo_ros.training.truth import NAMES

HIDDEN = 384
SIGNAL_WEIGHT = (0.4, 1.5, 1.5, 1.5)  # mostly there is none
FIRSTS = range(dense.FIRST_OBJECT, dense.COLUMNS, dense.PER_OBJECT)
YES_OR_NO = [dense.LINE, dense.LINE_STOP, dense.THING, *FIRSTS]
OBJECT_SCALE = (15.0, 5.0, 4.0, 2.0)  # x, y [m], vx, vy [m/s]
CONDITIONED = [  # column, the column that says whether it exists, typical size
    (dense.LINE_AT, dense.LINE, 20.0),
    (dense.THING_AT, dense.THING, 20.0),
    *((f + 1 + k, f, scale) for f in FIRSTS for k, scale in enumerate(OBJECT_SCALE)),
]
ALWAYS = [*((column, 1.0) for column in dense.WAY), (dense.LIMIT, 4.0)]
FEW = 8.0  # samples: a value that is rare in a batch counts less
BETA = 0.3


class Heads(nn.Module):
    """Readers of the newest timestep's tokens alone, and of the fused ones."""

    def __init__(self, model: VLA) -> None:
        super().__init__()
        p, outputs = model.profile, len(NAMES) + dense.COLUMNS
        self.single = _reader(p.visual_tokens * p.vision.width, outputs)
        self.fused = _reader(p.visual_tokens * p.backbone.width, outputs)


def _reader(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, outputs))


def dense_loss(got: Tensor, want: Tensor) -> Tensor:
    """Loss of (B, D) readings in scaled units against ``training.stream.dense`` in SI."""
    device = got.device
    signal = want[:, dense.SIGNAL].argmax(1)
    weight = torch.tensor(SIGNAL_WEIGHT, device=device)
    light = F.cross_entropy(got[:, dense.SIGNAL], signal, weight)
    facts = F.binary_cross_entropy_with_logits(got[:, YES_OR_NO], want[:, YES_OR_NO])
    at, condition, scale = (torch.tensor(c, device=device) for c in zip(*CONDITIONED, strict=True))
    there = want[:, condition]
    off = F.smooth_l1_loss(got[:, at], want[:, at] / scale, beta=BETA, reduction='none') * there
    values = (off.sum(0) / (there.sum(0) + FEW)).sum()
    free, size = (torch.tensor(c, device=device) for c in zip(*ALWAYS, strict=True))
    way = F.smooth_l1_loss(got[:, free], want[:, free] / size, beta=BETA)
    return 0.5 * light + facts + 0.25 * values + 1.5 * way


@torch.no_grad()
def lights_read(got: Tensor, want: Tensor) -> Tensor:
    """Share of the signals that are read right, of those that are there; NaN where none is."""
    signal = want[:, dense.SIGNAL].argmax(1)
    right = (got[:, dense.SIGNAL].argmax(1) == signal) & (signal > 0)
    return right.sum() / (signal > 0).sum()
