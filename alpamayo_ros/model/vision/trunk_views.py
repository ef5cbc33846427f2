"""A published trunk as the per-view encoder: its patches, averaged over the cells of a grid."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.vision.trunk import Trunk
from alpamayo_ros.profile import ModelProfile


def cell_means(patches: int, cells: int) -> Tensor:
    """(cells, patches): row i averages the patches of cell i, as adaptive average pooling does."""
    return F.adaptive_avg_pool1d(torch.eye(patches)[None], cells)[0].T.contiguous()


class TrunkViews(nn.Module):
    """Images of one view each (B, H, W, 3) to tokens (B, queries, width).

    Pixels are uint8 or float 0..255; a height or width that the patch does not divide is padded
    with black at the bottom or right.
    """

    row_means: Tensor
    column_means: Tensor

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        v = profile.vision
        assert v.pool is not None
        height, width = profile.view_size
        self.queries = v.pool[0] * v.pool[1]
        self.grid = (-(-height // v.patch), -(-width // v.patch))
        self.pad = (0, self.grid[1] * v.patch - width, 0, self.grid[0] * v.patch - height)
        self.trunk = Trunk(v)
        self.view = nn.Parameter(torch.randn(len(profile.views), 1, v.width) * 0.02)
        means = (cell_means(n, k) for n, k in zip(self.grid, v.pool, strict=True))
        for name, mean in zip(('row_means', 'column_means'), means, strict=True):
            self.register_buffer(name, mean, persistent=False)

    def forward(self, images: Tensor, view_index: Tensor) -> Tensor:
        """``view_index`` (B,) says which view each image is."""
        pixels = images.permute(0, 3, 1, 2).to(self.view.dtype) / 127.5 - 1
        patches = self.trunk(F.pad(pixels, self.pad, value=-1.0))[:, 1:].unflatten(1, self.grid)
        rows = torch.einsum('ar,nrcw->nacw', self.row_means.to(patches.dtype), patches)
        cells = torch.einsum('bc,nacw->nabw', self.column_means.to(patches.dtype), rows)
        return cells.flatten(1, 2) + self.view[view_index]
