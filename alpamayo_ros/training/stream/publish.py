"""Publishing: averaged weights with BatchNorm statistics of their own, for policy and export."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.budget import Average
from alpamayo_ros.training.checkpoint import save_weights
from alpamayo_ros.training.json_file import write_json
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.stream.augmentation import augment
from alpamayo_ros.training.stream.ring import Ring


def averaged(model: VLA, average: Average, ring: Ring, batches: int, batch: int) -> VLA:
    """A copy with the average of the weights, its statistics taken again from ``batches``."""
    twin = copy.deepcopy(model)
    average.copy_to(twin)
    norms = [m for m in twin.views.modules() if isinstance(m, nn.BatchNorm2d)]
    if norms and ring.samples and ring.keeps is None:  # frozen views keep their statistics
        _settle(twin, norms, ring, batches, batch)
    return twin.eval()


@torch.no_grad()
def _settle(twin: VLA, norms: list[nn.BatchNorm2d], ring: Ring, batches: int, batch: int) -> None:
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    twin.train()
    for k in range(batches):
        images = ring.draw(batch)['images'][:, 0]
        x = augment(images) if k % 2 else images.to(torch.bfloat16)
        with mixed(twin.device):
            twin.view_tokens(x)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum


def publish(model: VLA, root: Path, number: int, regression: bool) -> None:
    """Write the weights and say so in ``policy.json``; who reads never sees half a file."""
    file = f'policy_{number % 2}.safetensors'
    save_weights(root / file, model.cpu())
    note = {'name': str(number), 'file': file, 'regression': regression}
    write_json(root / 'policy.json', note)
