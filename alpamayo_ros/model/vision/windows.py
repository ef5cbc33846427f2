"""Blocks that look at windows of a picture (ViTDet: Li et al. 2022, section 3).

Windows do not overlap, are not shifted and are never padded: they divide the grid of patches, so
that no mask is needed.  A few blocks in between look at everything and carry news from window to
window.  The class token belongs to no window: it rests in these blocks, and takes part in those
that look at everything.  (ViTDet leaves it out; here published weights still fit by shape.)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Size = tuple[int, int]  # rows and columns of patches


def in_windows(block: Callable[[Tensor], Tensor], x: Tensor, grid: Size, window: Size) -> Tensor:
    """``block`` of every window by itself; x (B, 1 + patches, width), the class token first."""
    first, patches = x[:, :1], x[:, 1:]
    return torch.cat([first, together(block(apart(patches, grid, window)), grid, window)], 1)


def apart(x: Tensor, grid: Size, window: Size) -> Tensor:
    """(B, patches, width) row by row -> (B * windows, patches of one, width)."""
    (rows, columns), (r, c) = grid, window
    pieces = x.reshape(-1, rows // r, r, columns // c, c, x.shape[-1])
    return pieces.transpose(2, 3).reshape(-1, r * c, x.shape[-1])


def together(x: Tensor, grid: Size, window: Size) -> Tensor:
    """The reverse of :func:`apart`."""
    (rows, columns), (r, c) = grid, window
    pieces = x.reshape(-1, rows // r, columns // c, r, c, x.shape[-1])
    return pieces.transpose(2, 3).reshape(-1, rows * columns, x.shape[-1])
