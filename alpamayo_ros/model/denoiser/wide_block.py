"""The DiT block of the large members: SwiGLU, grouped cross-attention, six modulations."""

from __future__ import annotations

from torch import Tensor, nn

from alpamayo_ros.layer_shapes import DenoiserShape
from alpamayo_ros.model.attention import Attention, GroupedCrossAttention
from alpamayo_ros.model.mlp import SwiGLU


class WideBlock(nn.Module):
    """Modulated self-attention and feed-forward (Peebles and Xie 2023), plain cross-attention."""

    def __init__(self, d: DenoiserShape, context: int) -> None:
        super().__init__()
        assert d.ffn is not None
        self.norms = nn.ModuleList(
            nn.LayerNorm(d.width, elementwise_affine=False) for _ in range(3)
        )
        self.modulation = nn.Linear(d.width, 6 * d.width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.own = Attention(d.width, d.heads)
        self.cross = GroupedCrossAttention(
            d.width, context, d.heads, d.kv_heads or d.heads, d.head_width
        )
        self.mlp = SwiGLU(d.width, d.ffn)

    def forward(self, x: Tensor, c: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        m = self.modulation(c)[:, None].chunk(6, -1)
        y = self.norms[0](x) * (1 + m[0]) + m[1]
        x = x + (1 + m[2]) * self.own(y, y)
        x = x + self.cross.attend(self.norms[1](x), k, v, mask)
        y = self.norms[2](x) * (1 + m[3]) + m[4]
        return x + (1 + m[5]) * self.mlp(y)
