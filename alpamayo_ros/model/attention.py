"""Multi-head attention over short sequences: the vision, fusion and denoiser blocks use it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.mlp import GeluMlp


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, N, heads * w) -> (B, heads, N, w)."""
    b, n, d = x.shape
    return x.reshape(b, n, heads, d // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, heads, N, w) -> (B, N, heads * w)."""
    b, h, n, w = x.shape
    return x.transpose(1, 2).reshape(b, n, h * w)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """torch's ``scaled_dot_product_attention``; ``mask`` is additive.

    A gradient in bfloat16 on a processor goes through plain products: there torch 2.13's kernel
    makes a training step of nano half as long again (37 against 25 ms a draw, one AMX core).
    """
    plain = torch.is_grad_enabled() and q.device.type == 'cpu'
    if not (plain and torch.is_autocast_enabled('cpu')):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    score = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        score = score + mask
    return score.softmax(-1).to(v.dtype) @ v


class Attention(nn.Module):
    """Queries from ``x`` (B, N, width), keys and values from ``context`` (B, M, context_width).

    ``mask`` is additive and broadcasts to (B, heads, N, M).
    """

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(context_width or width, 2 * width)
        self.out = nn.Linear(width, width)

    def keys_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, M, w) of a context, computed once and used many times."""
        k, v = self.kv(context).chunk(2, -1)
        return split_heads(k, self.heads), split_heads(v, self.heads)

    def attend(self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention of ``x`` (B * K, N, width) to the keys and values of B contexts.

        K neighbours share a context: they are folded into its queries, and nothing is copied.
        """
        q = split_heads(self.q(x).reshape(k.shape[0], -1, x.shape[-1]), self.heads)
        y = merge_heads(attention(q, k, v, mask))
        return self.out(y.reshape(x.shape))

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.attend(x, *self.keys_values(context), mask)


class GroupedCrossAttention(nn.Module):
    """Queries of ``heads`` from plan tokens, keys and values of ``kv_heads`` from a context."""

    def __init__(
        self, width: int, context_width: int, heads: int, kv_heads: int, head_width: int
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads
        self.q = nn.Linear(width, heads * head_width)
        self.kv = nn.Linear(context_width, 2 * kv_heads * head_width)
        self.out = nn.Linear(heads * head_width, width)

    def keys_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, kv_heads, M, w) of a context, computed once and used many times."""
        k, v = self.kv(context).chunk(2, -1)
        return split_heads(k, self.kv_heads), split_heads(v, self.kv_heads)

    def attend(self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        """As :meth:`Attention.attend`: K neighbours of ``x`` (B * K, N, width) share a context."""
        q = split_heads(self.q(x).reshape(k.shape[0], -1, self.q.out_features), self.heads)
        k = k.repeat_interleave(self.heads // self.kv_heads, 1)
        v = v.repeat_interleave(self.heads // self.kv_heads, 1)
        y = merge_heads(attention(q, k, v, mask))
        return self.out(y.reshape(*x.shape[:2], -1))


class Block(nn.Module):
    """Pre-norm transformer block.

    With ``context`` the keys come from there as well (one shared norm).  ``gelu``: torch's name of
    the approximation.
    """

    def __init__(
        self, width: int, heads: int, expand: int = 3, eps: float = 1e-5, gelu: str = 'tanh'
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps)
        self.mlp = GeluMlp(width, expand * width, gelu)

    def forward(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        q = self.norm1(x)
        x = x + self.attention(q, q if context is None else self.norm1(context), mask)
        return x + self.mlp(self.norm2(x))
