"""New pictures to the features of one timestep, and features to what the backbone reads."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from alpamayo_ros.model.fast.attend import MASKED
from alpamayo_ros.model.fast.blocks import Block, blocks
from alpamayo_ros.model.fast.trunk import Order, Trunk
from alpamayo_ros.model.vision.fusion import Temporal
from alpamayo_ros.model.vision.trunk_views import TrunkViews
from alpamayo_ros.model.vla import VLA

Encode = Callable[[Tensor, Tensor], Tensor]


def encoder(model: VLA) -> Encode:
    """(V, H, W, 3) uint8 and (V) to features (N, width): nano's views are called as modules."""
    if isinstance(model.views, TrunkViews):
        return Encoder(model, model.views)
    return lambda images, cameras: model.encode_timestep(images[None], cameras[None])[0]


class Encoder:
    """``VLA.encode_timestep`` of one timestep of a model with a published trunk."""

    def __init__(self, model: VLA, views: TrunkViews) -> None:
        trunk, self._views, self._cross = views.trunk, views, model.cross
        self._patch, self._order = trunk.stem.stride[0], Order.of(trunk.shape, views.grid)
        stem = trunk.stem.weight.detach()
        self._stem = stem.permute(0, 2, 3, 1).reshape(len(stem), -1).contiguous()
        place = trunk.positions(*views.grid).detach()
        bias = trunk.stem.bias
        assert bias is not None
        self._first = (trunk.class_token.detach() + place[:, :1]).expand(len(views.view), -1, -1)
        self._place = self._order.ordered(place[0, 1:] + bias.detach())
        cells = self._order.ordered(torch.kron(views.row_means, views.column_means).T).T
        self._pool = F.pad(cells, (1, 0)).to(stem.dtype)  # the class token is in no cell
        self._trunk = Trunk(trunk, self._order)
        self.products = self._trunk.products
        self._across = [Block(block) for block in blocks(model.cross.blocks)]

    def __call__(self, images: Tensor, cameras: Tensor) -> Tensor:
        """(V, H, W, 3) uint8 and (V) to features (N, width)."""
        patches = self._patches(images) @ self._stem.T + self._place
        x = self._trunk(torch.cat([self._first, patches], 1))
        x = self._pool @ self._views.trunk.norm(x) + self._views.view
        x, cross = x.flatten(0, 1)[None], self._cross
        keep = cameras[cross.view_of][None, :, None].to(x.dtype)
        x = x * keep + cross.missing * (1 - keep) + cross.slot
        for block in self._across:
            x = block(x)
        features: Tensor = cross.norm(x)[0]
        return features

    def _patches(self, images: Tensor) -> Tensor:
        """(V, patches, numbers of a patch); black pads a side that the patch does not divide."""
        right, below = self._views.pad[1], self._views.pad[3]
        flat = self._order.cut(F.pad(images, (0, 0, 0, right, 0, below)), self._patch)
        return flat.to(self._stem.dtype) / 127.5 - 1


class Fusion:
    """``VLA.fuse``: of all chosen timesteps, or of the newest where the backbone reads each."""

    def __init__(self, model: VLA) -> None:
        self._model = model
        self.over_time = isinstance(model.temporal, Temporal)

    def __call__(self, features: Tensor, age_s: Tensor, cameras: Tensor) -> Tensor:
        """(T, N, width) newest first, (T, V) and (T, V) to tokens (N, backbone width)."""
        with sdpa_kernel(MASKED, set_priority=True):
            return self._model.fuse(features[None], age_s[None], cameras[None])[0]
