"""nano's DiT block: biases, GELU, nine modulations, as many key heads as query heads."""

from __future__ import annotations

from torch import Tensor, nn

from alpamayo_ros.model.attention import Attention
from alpamayo_ros.model.mlp import GeluMlp


class DiTBlock(nn.Module):
    """Self-attention over plan tokens, cross-attention to the context, feed-forward.

    All three are modulated.
    """

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(3))
        self.modulation = nn.Linear(width, 9 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.own = Attention(width, heads)
        self.cross = Attention(width, heads, context)
        self.mlp = GeluMlp(width, 4 * width)

    def forward(self, x: Tensor, c: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        m = self.modulation(c)[:, None].chunk(9, -1)
        y = self.norms[0](x) * (1 + m[0]) + m[1]
        x = x + (1 + m[2]) * self.own(y, y)
        y = self.norms[1](x) * (1 + m[3]) + m[4]
        x = x + (1 + m[5]) * self.cross.attend(y, k, v, mask)
        y = self.norms[2](x) * (1 + m[6]) + m[7]
        return x + (1 + m[8]) * self.mlp(y)
