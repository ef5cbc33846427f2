"""Vision tower of Qwen3-VL: patches of one picture see each other, pictures never do."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.attention import merge_heads, split_heads
from alpamayo_ros.model.released.sizes import CELL, PATCH_NUMBERS, PATCH_PX, PLACES, TowerSize
from alpamayo_ros.model.rope import rotate

EPS = 1e-6
THETA = 10_000.0


def patches(pictures: Tensor) -> Tensor:
    """Pictures (N, H, W, 3) uint8 RGB as rows (N, patches, 1536) of -1 to 1.

    Patches of one cell follow each other; a patch has colour, time (the picture twice), y, x.
    """
    n, height, width, _ = pictures.shape
    side = CELL * PATCH_PX
    if height % side or width % side:
        raise ValueError(f'sides of a picture are multiples of {side}, not {width} x {height}')
    x = (pictures.float() - 127.5) / 127.5
    x = x.reshape(n, height // side, CELL, PATCH_PX, width // side, CELL, PATCH_PX, 3)
    x = x.permute(0, 1, 4, 2, 5, 7, 3, 6).unsqueeze(6).expand(-1, -1, -1, -1, -1, -1, 2, -1, -1)
    return x.reshape(n, -1, PATCH_NUMBERS)


class Merger(nn.Module):
    """Four neighbours become one token; the norm stands before, or behind (``wide``)."""

    def __init__(self, size: TowerSize, wide: bool) -> None:
        super().__init__()
        self.joined = CELL * CELL * size.width
        self.wide = wide
        self.norm = nn.LayerNorm(self.joined if wide else size.width, EPS)
        self.up = nn.Linear(self.joined, self.joined)
        self.down = nn.Linear(self.joined, size.out)

    def forward(self, x: Tensor) -> Tensor:
        shape = (x.shape[0], -1, self.joined)
        x = self.norm(x.reshape(shape)) if self.wide else self.norm(x).reshape(shape)
        merged: Tensor = self.down(F.gelu(self.up(x)))
        return merged


class Block(nn.Module):
    """Attention over the patches of a picture, then GELU; both behind a layer norm."""

    def __init__(self, size: TowerSize) -> None:
        super().__init__()
        self.heads = size.heads
        self.norm1 = nn.LayerNorm(size.width, EPS)
        self.qkv = nn.Linear(size.width, 3 * size.width)
        self.out = nn.Linear(size.width, size.width)
        self.norm2 = nn.LayerNorm(size.width, EPS)
        self.up = nn.Linear(size.width, size.ffn)
        self.down = nn.Linear(size.ffn, size.width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + self.out(merge_heads(y))
        after: Tensor = x + self.down(F.gelu(self.up(self.norm2(x)), approximate='tanh'))
        return after


class Tower(nn.Module):
    """Tokens of pictures for the language model, and those of ``inner`` blocks for its layers."""

    def __init__(self, size: TowerSize) -> None:
        super().__init__()
        self.size = size
        self.patches = nn.Linear(PATCH_NUMBERS, size.width)
        self.places = nn.Embedding(PLACES * PLACES, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.merger = Merger(size, wide=False)
        self.inner = nn.ModuleList(Merger(size, wide=True) for _ in size.inner)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Rows (N, patches, 1536) to tokens (N, rows x columns, out), then those of each inner."""
        where = _grid(self.size, x.device)
        x = self.patches(x.to(self.patches.weight.dtype)) + self._places(where)
        cos, sin = _turns(where, self.size.width // self.size.heads)
        found = []
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin)
            if i in self.size.inner:
                found.append(self.inner[self.size.inner.index(i)](x))
        return (self.merger(x), *found)

    def _places(self, where: Tensor) -> Tensor:
        """Learned positions of the patches, bilinear between the 48 x 48 that were learned."""
        ends = CELL * torch.tensor([self.size.rows, self.size.columns], device=where.device) - 1
        at = where * ((PLACES - 1) / ends.float())
        low = at.floor()
        part = at - low
        total = torch.zeros((), device=where.device)
        for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
            move = torch.stack([low[:, 0] + down, low[:, 1] + right], -1).clamp(max=PLACES - 1)
            share = (part[:, 0] if down else 1 - part[:, 0]) * (
                part[:, 1] if right else 1 - part[:, 1]
            )
            index = (move[:, 0] * PLACES + move[:, 1]).long()
            total = total + self.places(index) * share.to(self.places.weight.dtype)[:, None]
        return total


def _grid(size: TowerSize, device: torch.device) -> Tensor:
    """Row and column (patches, 2) of each patch, cell after cell."""
    rows, columns = (
        torch.arange(CELL * count, device=device).reshape(count, CELL)
        for count in (size.rows, size.columns)
    )
    shape = (size.rows, size.columns, CELL, CELL)
    row = rows[:, None, :, None].expand(shape)
    column = columns[None, :, None, :].expand(shape)
    return torch.stack([row.reshape(-1), column.reshape(-1)], -1).float()


def _turns(where: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """cos and sin (patches, half a head): a quarter turns with rows, a quarter with columns."""
    quarter = head_width // 4
    inverse = THETA ** (-torch.arange(quarter, device=where.device) / quarter)
    angle = (where[:, :, None] * inverse).flatten(1)
    return angle.cos(), angle.sin()
