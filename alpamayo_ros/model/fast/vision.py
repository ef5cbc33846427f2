"""New pictures to the features of one timestep, and features to what the backbone reads."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from alpamayo_ros.model import attention
from alpamayo_ros.model.fast.attend import MASKED, attend
from alpamayo_ros.model.fast.joined import joined
from alpamayo_ros.model.vision.fusion import Temporal
from alpamayo_ros.model.vision.trunk_views import TrunkViews
from alpamayo_ros.model.vla import VLA


class Block:
    """``attention.Block`` of a sequence with itself, with one product for q, k and v."""

    def __init__(self, block: attention.Block) -> None:
        self._block, own = block, block.attention
        self._heads, self._qkv = own.heads, joined(own.q, own.kv)

    def __call__(self, x: Tensor) -> Tensor:
        """(B, N, width) -> (B, N, width)."""
        block = self._block
        parts = self._qkv(block.norm1(x)).unflatten(-1, (3, self._heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        x = x + block.attention.out(attend(q, k, v).transpose(1, 2).flatten(2))
        out: Tensor = x + block.mlp(block.norm2(x))
        return out


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
        self._patch = model.profile.vision.patch
        stem = trunk.stem.weight.detach()
        self._stem = stem.permute(0, 2, 3, 1).reshape(len(stem), -1).contiguous()
        place = trunk.positions(*views.grid).detach()
        bias = trunk.stem.bias
        assert bias is not None
        self._first = (trunk.class_token.detach() + place[:, :1]).expand(len(views.view), -1, -1)
        self._place = place[:, 1:] + bias.detach()
        cells = torch.kron(views.row_means, views.column_means)
        self._pool = F.pad(cells, (1, 0)).to(stem.dtype)  # the class token is in no cell
        self._trunk = [Block(block) for block in _blocks(trunk.blocks)]
        self._across = [Block(block) for block in _blocks(model.cross.blocks)]

    def __call__(self, images: Tensor, cameras: Tensor) -> Tensor:
        """(V, H, W, 3) uint8 and (V) to features (N, width)."""
        x = torch.cat([self._first, self._patches(images) @ self._stem.T + self._place], 1)
        for block in self._trunk:
            x = block(x)
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
        (rows, columns), p = self._views.grid, self._patch
        right, below = self._views.pad[1], self._views.pad[3]
        cut = F.pad(images, (0, 0, 0, right, 0, below)).view(-1, rows, p, columns, p, 3)
        flat = cut.permute(0, 1, 3, 2, 4, 5).reshape(len(images), rows * columns, -1)
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


def _blocks(modules: torch.nn.ModuleList) -> list[attention.Block]:
    found = [module for module in modules if isinstance(module, attention.Block)]
    assert len(found) == len(modules)
    return found
