"""Attention by fixed shapes: which kernel computes it follows from shape and mask alone.

Grouped heads are folded: the query heads that share a key head become further queries of it, so
that keys are read once and never copied.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

# In order of preference.  cuDNN's takes no mask here: its plans for additive masks differ from
# version to version; flash takes none at all.
FREE = [
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]
MASKED = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
# Up to so many rows a key head the fused masked kernel would leave most of a GPU idle: it cuts
# queries into blocks of 64 and keys not at all.  Plain products fill it.
FEW_ROWS = 256


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """(B, heads, N, w), keys (B, heads, M, w): everybody sees everything."""
    with sdpa_kernel(FREE, set_priority=True):
        return F.scaled_dot_product_attention(q, k, v)


def grouped(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Rows ``q`` (N, heads, w) over keys (kv heads, M, w) -> (N, heads * w).

    ``mask`` (shared * N, M) from :func:`for_groups` is added to the scores.
    """
    n, heads, width = q.shape
    folded = q.transpose(0, 1).reshape(len(k), -1, width)
    if folded.shape[1] <= FEW_ROWS:
        y = _by_products(folded, k, v, mask)
    else:
        with sdpa_kernel(MASKED, set_priority=True):
            y = F.scaled_dot_product_attention(
                folded[None], k[None], v[None], attn_mask=mask.to(q.dtype)[None, None]
            )
    return y.reshape(heads, n, width).transpose(0, 1).reshape(n, -1)


def for_groups(mask: Tensor, shared: int) -> Tensor:
    """A mask (N, M) for the folded queries of ``shared`` heads a key head."""
    return mask.repeat(shared, 1)


def _by_products(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Scores in the type of the weights, summed and normed in single precision."""
    scale, seen = 1.0 / math.sqrt(q.shape[-1]), mask.to(q.dtype).expand(len(k), -1, -1)
    return torch.baddbmm(seen, q, k.transpose(1, 2), alpha=scale).softmax(-1) @ v
