"""Per-view vision transformer: uint8 pixels to a few tokens.

nano's patch embedding is a convolutional stem (four stride-2 convolutions with BatchNorm); a plain
patch convolution was clearly worse at this size (docs/design.md, "Vision").  Learned queries pool
each view.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from alpamayo_ros.model.attention import Block
from alpamayo_ros.profile import ModelProfile


class ConvStem(nn.Sequential):
    """(B, 3, H, W) to (B, width, H / patch, W / patch): one halving a convolution."""

    def __init__(self, width: int, patch: int) -> None:
        layers: list[nn.Module] = []
        channels = [3, *(32 * (k + 1) for k in range(patch.bit_length() - 1))]
        for i, o in zip(channels[:-1], channels[1:], strict=True):
            layers += [
                nn.Conv2d(i, o, 3, 2, 1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers, nn.Conv2d(channels[-1], width, 1))


class PatchStem(nn.Conv2d):
    """One convolution of stride ``patch``."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__(3, width, patch, patch)


class ViewEncoder(nn.Module):
    """Images of one view each (B, H, W, 3) to pooled tokens (B, queries, width).

    Pixels are uint8 or float 0..255.
    """

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        v = profile.vision
        height, width = profile.view_size
        self.queries = max(w.tokens for w in profile.views)
        patches = (height // v.patch) * (width // v.patch)
        self.stem = (ConvStem if v.stem == 'conv' else PatchStem)(v.width, v.patch)
        self.position = nn.Parameter(torch.randn(1, patches, v.width) * 0.02)
        self.view = nn.Parameter(torch.randn(len(profile.views), 1, v.width) * 0.02)
        self.query = nn.Parameter(torch.randn(1, self.queries, v.width) * 0.02)
        self.blocks = nn.ModuleList(Block(v.width, v.heads) for _ in range(v.layers))
        self.norm = nn.LayerNorm(v.width)

    def forward(self, images: Tensor, view_index: Tensor) -> Tensor:
        """``view_index`` (B,) says which view each image is."""
        return self.pooled(self.patches(images), view_index)

    def patches(self, images: Tensor) -> Tensor:
        """(B, H, W, 3) -> (B, patches, width): the stem alone, for every view the same."""
        x = images.permute(0, 3, 1, 2).float() / 255.0 - 0.5
        x = self.stem(x.contiguous(memory_format=torch.channels_last)).to(self.query.dtype)
        return x.flatten(2).transpose(1, 2)

    def pooled(self, patches: Tensor, view_index: Tensor) -> Tensor:
        """What follows the stem: (B, patches, width) -> (B, queries, width)."""
        x = patches + self.position + self.view[view_index]
        x = torch.cat([self.query + self.view[view_index], x], 1)
        *blocks, last = self.blocks
        for block in blocks:
            x = block(x)
        return self.norm(last(x[:, : self.queries], x))  # of the last, only what is pooled
