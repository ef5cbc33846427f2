"""A published vision transformer (Dosovitskiy et al. 2021): ViT-S/16, B/16, L/16, H/14.

Linear patches, a class token, learned positions, pre-norm blocks with exact GELU: weights that
others trained fit by shape, and the output equals transformers' ViTModel.  With windows most
blocks look at a piece of the picture (``windows``), by the same weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.layer_shapes import VisionShape
from alpamayo_ros.model.attention import Block
from alpamayo_ros.model.vision.views import PatchStem
from alpamayo_ros.model.vision.windows import in_windows

POSITION_PIXELS = 224  # the published position tables were learned at this side
EPS = 1e-6


class Trunk(nn.Module):
    """Pixels (B, 3, H, W) of order 1 to (B, 1 + patches, width), the class token first."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.shape = shape
        self.side = POSITION_PIXELS // shape.patch
        self.stem = PatchStem(shape.width, shape.patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, shape.width))
        self.position = nn.Parameter(torch.randn(1, 1 + self.side**2, shape.width) * 0.02)
        self.blocks = nn.ModuleList(
            Block(shape.width, shape.heads, expand=4, eps=EPS, gelu='none')
            for _ in range(shape.layers)
        )
        self.norm = nn.LayerNorm(shape.width, EPS)

    def positions(self, rows: int, columns: int) -> Tensor:
        """(1, 1 + rows * columns, width): the square table, resampled to the grid of patches."""
        first, square = self.position[:, :1], self.position[:, 1:]
        image = square.unflatten(1, (self.side, self.side)).permute(0, 3, 1, 2)
        image = F.interpolate(image, (rows, columns), mode='bicubic', align_corners=False)
        return torch.cat([first, image.flatten(2).transpose(1, 2)], 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.stem(pixels)
        rows, columns = x.shape[2:]
        positions = self.positions(rows, columns)
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1) + positions
        for i, block in enumerate(self.blocks):
            if self.shape.window is None or self.shape.sees_all(i):
                x = block(x)
            else:
                x = in_windows(block, x, (rows, columns), self.shape.window)
        return self.norm(x)
