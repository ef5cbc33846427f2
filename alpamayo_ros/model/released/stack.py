"""Layers of Qwen3 over one sequence: the language model's and the expert's.

There is no batch: candidates stand behind each other in the sequence and a mask keeps them apart,
so that one cache serves all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.released.sizes import StackSize
from alpamayo_ros.model.rope import rotate

EPS = 1e-6


@dataclass(frozen=True, slots=True)
class Cache:
    """Keys after rotation and values of every layer, each (kv heads, slots, head width)."""

    keys: list[Tensor]
    values: list[Tensor]

    @classmethod
    def empty(cls, size: StackSize, slots: int, like: Tensor) -> Cache:
        """Zeros, on the device and of the type of ``like``."""
        shape = (size.kv_heads, slots, size.head_width)
        keys, values = ([like.new_zeros(shape) for _ in range(size.layers)] for _ in range(2))
        return cls(keys, values)

    @property
    def slots(self) -> int:
        """How many tokens have room."""
        return self.keys[0].shape[1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where N tokens stand.

    ``cos``, ``sin`` (N, half a head); ``slots`` (N) of the cache that they write; ``mask``
    (N, all slots) is added to their scores, None: each sees itself and the tokens before it.
    """

    cos: Tensor
    sin: Tensor
    slots: Tensor
    mask: Tensor | None = None


class Layer(nn.Module):
    """Attention with normed queries and keys, then SwiGLU; both behind an RMS norm."""

    def __init__(self, size: StackSize) -> None:
        super().__init__()
        self.size = size
        queries, keys = size.heads * size.head_width, size.kv_heads * size.head_width
        self.norm1 = nn.RMSNorm(size.width, EPS)
        self.qkv = nn.Linear(size.width, queries + 2 * keys, bias=False)
        self.q_norm = nn.RMSNorm(size.head_width, EPS)
        self.k_norm = nn.RMSNorm(size.head_width, EPS)
        self.out = nn.Linear(queries, size.width, bias=False)
        self.norm2 = nn.RMSNorm(size.width, EPS)
        self.gate_up = nn.Linear(size.width, 2 * size.ffn, bias=False)
        self.down = nn.Linear(size.ffn, size.width, bias=False)

    def forward(self, x: Tensor, place: Place, keys: Tensor, values: Tensor) -> Tensor:
        x = x + self.out(self._attend(self.norm1(x), place, keys, values))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)

    def _attend(self, x: Tensor, place: Place, keys: Tensor, values: Tensor) -> Tensor:
        """Of tokens ``x`` (N, width), written into the cache of this layer before."""
        s, n = self.size, len(x)
        parts = self.qkv(x).reshape(n, -1, s.head_width).transpose(0, 1)
        q, k, v = parts.split([s.heads, s.kv_heads, s.kv_heads])
        q = rotate(self.q_norm(q), place.cos, place.sin)
        k = rotate(self.k_norm(k), place.cos, place.sin)
        keys.index_copy_(1, place.slots, k)
        values.index_copy_(1, place.slots, v)
        if place.mask is None:
            y = F.scaled_dot_product_attention(
                q[None], k[None], v[None], is_causal=True, enable_gqa=True
            )
        else:  # heads that share keys are further queries of one head
            shared = s.heads // s.kv_heads
            y = F.scaled_dot_product_attention(
                q.reshape(1, s.kv_heads, shared * n, s.head_width),
                keys[None],
                values[None],
                attn_mask=place.mask.repeat(shared, 1)[None, None],
            )
        return y.reshape(s.heads, n, s.head_width).transpose(0, 1).reshape(n, -1)


class Stack(nn.Module):
    """All layers and the norm behind them."""

    def __init__(self, size: StackSize) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
        self.norm = nn.RMSNorm(size.width, EPS)

    def forward(
        self,
        x: Tensor,
        place: Place,
        cache: Cache,
        added: Sequence[Tensor] = (),
        at: Tensor | None = None,
    ) -> Tensor:
        """Tokens ``x`` (N, width) through all layers.

        ``added`` (tokens of pictures, width) a layer is added behind the first layers at the
        positions ``at`` (DeepStack, Meng et al. 2024).
        """
        for i, layer in enumerate(self.layers):
            x = layer(x, place, cache.keys[i], cache.values[i])
            if i < len(added):
                assert at is not None
                x = x.index_add(0, at, added[i].to(x.dtype))
        normed: Tensor = self.norm(x)
        return normed


def hide(visible: Tensor, dtype: torch.dtype) -> Tensor:
    """Additive mask: 0 where ``visible``, -inf elsewhere."""
    return torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill(
        ~visible, float('-inf')
    )
