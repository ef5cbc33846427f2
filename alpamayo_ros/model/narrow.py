"""Weights in fewer bits, for memory and speed; tables stay in single precision."""

from __future__ import annotations

import torch

from alpamayo_ros.model.vision.views import ConvStem
from alpamayo_ros.model.vla import VLA


def widen(model: VLA) -> VLA:
    """A model that was made in a narrow type: what :func:`narrow` leaves whole becomes so."""
    for module in model.modules():
        if isinstance(module, ConvStem):
            module.float()
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_floating_point():
                setattr(module, name, buffer.float())
    return model


@torch.no_grad()
def narrow(model: VLA, dtype: torch.dtype) -> VLA:
    """Parameters in ``dtype``, in place, but for a stem with BatchNorm.

    Buffers stay: RoPE angles, noise levels and the plan's mean and spread lose centimetres in
    bfloat16.
    """
    whole = {id(p) for m in model.modules() if isinstance(m, ConvStem) for p in m.parameters()}
    for parameter in model.parameters():
        if id(parameter) not in whole:
            parameter.data = parameter.data.to(dtype)
    return model
