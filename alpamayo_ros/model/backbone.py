"""The reasoning backbone: RMSNorm, grouped-query attention, RoPE, SwiGLU, static KV cache.

Norms stand before each part (pre-norm).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.layer_shapes import BackboneShape
from alpamayo_ros.model.attention import attention, merge_heads, split_heads
from alpamayo_ros.model.kv_cache import KVCache
from alpamayo_ros.model.mlp import SwiGLU
from alpamayo_ros.model.norm import RMSNorm
from alpamayo_ros.model.rope import rope_tables, rotate


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, shape: BackboneShape) -> None:
        super().__init__()
        self.heads, self.kv_heads = shape.heads, shape.kv_heads
        head = shape.width // shape.heads
        bias = shape.qkv_bias
        self.norm1 = RMSNorm(shape.width)
        self.q = nn.Linear(shape.width, shape.heads * head, bias=bias)
        self.k = nn.Linear(shape.width, shape.kv_heads * head, bias=bias)
        self.v = nn.Linear(shape.width, shape.kv_heads * head, bias=bias)
        self.q_norm = RMSNorm(head) if shape.qk_norm else nn.Identity()
        self.k_norm = RMSNorm(head) if shape.qk_norm else nn.Identity()
        self.out = nn.Linear(shape.heads * head, shape.width, bias=False)
        self.norm2 = RMSNorm(shape.width)
        self.mlp = SwiGLU(shape.width, shape.ffn)

    def forward(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        cache: tuple[KVCache, int, int] | None,
    ) -> Tensor:
        y = self.norm1(x)
        q = rotate(self.q_norm(split_heads(self.q(y), self.heads)), cos, sin)
        k = rotate(self.k_norm(split_heads(self.k(y), self.kv_heads)), cos, sin)
        v = split_heads(self.v(y), self.kv_heads)
        if cache is not None:
            store, layer, start = cache
            k, v = store.write(layer, start, k, v)
        if self.kv_heads != self.heads:
            k = k.repeat_interleave(self.heads // self.kv_heads, 1)
            v = v.repeat_interleave(self.heads // self.kv_heads, 1)
        x = x + self.out(merge_heads(attention(q, k, v, mask)))
        return x + self.mlp(self.norm2(x))


class Backbone(nn.Module):
    """Embeddings (B, N, width) to hidden states.

    The token embedding doubles as the output head when tied.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: BackboneShape, vocab_size: int, positions: int) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(vocab_size, shape.width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.width)
        self.head = (
            None if shape.tie_embeddings else nn.Linear(shape.width, vocab_size, bias=False)
        )
        cos, sin = rope_tables(positions, shape.width // shape.heads, shape.rope_theta)
        self.register_buffer('cos', cos, persistent=False)
        self.register_buffer('sin', sin, persistent=False)

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        mask: Tensor,
        cache: KVCache | None = None,
        start: int = 0,
    ) -> Tensor:
        """``positions`` (N,) RoPE positions; ``mask`` additive, broadcast to (B, heads, N, keys).

        With a cache, keys and values go to slots start..start+N-1 and the mask spans all slots.
        """
        cos, sin = self.cos[positions], self.sin[positions]
        mask = mask.to(x.dtype)
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, mask, None if cache is None else (cache, i, start))
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """(B, N, width) -> (B, N, vocab)."""
        return F.linear(hidden, self.embed.weight) if self.head is None else self.head(hidden)

    def new_cache(self, batch: int, slots: int) -> KVCache:
        """An empty static cache for ``slots`` tokens."""
        s, weight = self.shape, self.embed.weight
        head = s.width // s.heads
        return KVCache(s.layers, batch, s.kv_heads, slots, head, weight.device, weight.dtype)
