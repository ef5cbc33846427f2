"""The blocks of a published trunk; with windows, patches lie window by window.

So a window is a piece of memory, and the blocks between two that look at everything copy nothing.
Attention does not care about the order of keys; whoever reads patches knows it (``Order``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.layer_shapes import VisionShape
from alpamayo_ros.model.fast.blocks import Block, blocks
from alpamayo_ros.model.vision.trunk import Trunk as Modules
from alpamayo_ros.model.vision.windows import apart

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Order:
    """Patches of a ``grid`` window by window, row by row in each; one window: row by row."""

    grid: Size
    window: Size

    @classmethod
    def of(cls, shape: VisionShape, grid: Size) -> Order:
        """As the blocks of a trunk of ``shape`` want them."""
        return cls(grid, shape.window or grid)

    @property
    def patches(self) -> int:
        """Of one window."""
        return self.window[0] * self.window[1]

    def ordered(self, x: Tensor) -> Tensor:
        """Rows (patches, width) that were row by row of the picture."""
        return apart(x[None], self.grid, self.window).reshape(x.shape)

    def cut(self, images: Tensor, side: int) -> Tensor:
        """(V, H, W, 3) of whole patches to (V, patches, numbers of one)."""
        (rows, columns), (r, c) = self.grid, self.window
        shape = (len(images), rows // r, r, side, columns // c, c, side, 3)
        pieces = images.view(shape).permute(0, 1, 4, 2, 5, 3, 6, 7)
        return pieces.reshape(len(images), rows * columns, -1)


class Trunk:
    """Blocks of a trunk, in parts of which the last block looks at everything."""

    def __init__(self, trunk: Modules, order: Order) -> None:
        found = [Block(block) for block in blocks(trunk.blocks)]
        self.products = [product for block in found for product in block.products]
        shape, self._patches = trunk.shape, order.patches
        every = shape.layers // (shape.global_layers or shape.layers)
        self._parts = [found[i : i + every] for i in range(0, len(found), every)]

    def __call__(self, x: Tensor) -> Tensor:
        """(V, 1 + patches, width), the class token first."""
        for part in self._parts:
            if len(part) > 1:
                patches = x[:, 1:].reshape(-1, self._patches, x.shape[-1])
                for block in part[:-1]:
                    patches = block(patches)
                x = torch.cat([x[:, :1], patches.view(len(x), -1, x.shape[-1])], 1)
            x = part[-1](x)
        return x
