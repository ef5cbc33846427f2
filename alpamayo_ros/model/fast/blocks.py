"""Pre-norm blocks of a sequence with itself: of a trunk, and across cameras."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model import attention
from alpamayo_ros.model.fast.attend import attend
from alpamayo_ros.model.fast.joined import joined


class Block:
    """``attention.Block`` of a sequence with itself, with one product for q, k and v."""

    def __init__(self, block: attention.Block) -> None:
        self._block, own = block, block.attention
        self._heads, self._qkv, self._out = own.heads, joined(own.q, own.kv), joined(own.out)
        self._up, self._down = joined(block.mlp.up), joined(block.mlp.down)
        self.products = [self._qkv, self._out, self._up, self._down]

    def __call__(self, x: Tensor) -> Tensor:
        """(B, N, width) -> (B, N, width)."""
        block = self._block
        parts = self._qkv(block.norm1(x)).unflatten(-1, (3, self._heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        x = x + self._out(attend(q, k, v).transpose(1, 2).flatten(2))
        inside = F.gelu(self._up(block.norm2(x)), approximate=block.mlp.approximate)
        return x + self._down(inside)


def blocks(modules: nn.ModuleList) -> list[attention.Block]:
    """The modules of a list that has no others."""
    found = [module for module in modules if isinstance(module, attention.Block)]
    assert len(found) == len(modules)
    return found
