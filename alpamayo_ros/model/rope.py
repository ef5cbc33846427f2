"""Rotary position embedding (Su et al. 2021), half-split layout.

It is that of ONNX RotaryEmbedding with interleaved=0.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rope_tables(positions: int, head_width: int, theta: float) -> tuple[Tensor, Tensor]:
    """cos and sin tables, each (positions, head_width / 2)."""
    inverse = theta ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
    angle = torch.arange(positions, dtype=torch.float64)[:, None] * inverse[None]
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate ``x`` (B, heads, N, head_width) by per-token tables (N, head_width / 2)."""
    a, b = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
