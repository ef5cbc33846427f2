"""Features of pictures, each encoded once: the vision tower sees one picture at a time.

Attention in the tower stays within a picture and positions are relative to it (Qwen3-VL), so
features that were kept are those that would be computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from alpamayo_ros.runtime.nvidia.child.pictures import digest, grid, in_order, patches


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture: its tokens, and what is added behind the first layers (deepstack)."""

    tokens: torch.Tensor
    deep: tuple[torch.Tensor, ...]


class Tower:
    """The vendor's vision tower behind a memory of one set of pictures."""

    def __init__(self, qwen: Any, device: str) -> None:
        self._qwen, self._device = qwen, device
        self._held: dict[bytes, Seen] = {}
        self._order: list[bytes] = []
        self._grid = (1, 0, 0)

    def hold(self, images: np.ndarray) -> int:
        """Hold the features of ``images`` (T newest first, V, H, W, 3); how many were new."""
        pictures = in_order(images)
        self._grid = grid(*pictures.shape[1:3])
        order = [digest(picture) for picture in pictures]
        new = {key: i for i, key in enumerate(order) if key not in self._held}
        if new:
            self._held.update(self._encoded(list(new), pictures[list(new.values())]))
        self._held = {key: self._held[key] for key in order}
        self._order = order
        return len(new)

    def _encoded(self, keys: list[bytes], pictures: np.ndarray) -> dict[bytes, Seen]:
        pixels = torch.from_numpy(patches(pictures)).to(self._device)
        kind = type(self._qwen)  # the instance's own is replaced while words are generated
        tokens, deep = kind.get_image_features(self._qwen, pixels, self._grids(len(keys)))
        each = zip(*(part.chunk(len(keys)) for part in deep), strict=True)
        return {k: Seen(t, d) for k, t, d in zip(keys, tokens, each, strict=True)}

    def _grids(self, many: int) -> torch.Tensor:
        return torch.tensor([self._grid] * many, device=self._device)

    def inputs(self) -> dict[str, torch.Tensor]:
        """What stands for the pictures in a call: their grids, and rows that nobody reads."""
        grids = self._grids(len(self._order))
        return {
            'pixel_values': torch.zeros(int(grids.prod(1).sum()), 1, device=self._device),
            'image_grid_thw': grids,
        }

    def public(self, images: np.ndarray) -> dict[str, torch.Tensor]:
        """Pictures (T newest first, V, H, W, 3) as the vendor's public call takes them."""
        pictures = in_order(images)
        grids = torch.tensor([grid(*pictures.shape[1:3])] * len(pictures), device=self._device)
        rows = torch.from_numpy(patches(pictures)).to(self._device)
        return {'pixel_values': rows, 'image_grid_thw': grids}

    def serve(self, pixel_values: Any, image_grid_thw: Any = None) -> tuple[Any, list[Any]]:
        """In place of the model's ``get_image_features``: what is held, once a text."""
        times = len(image_grid_thw) // len(self._order)
        seen = [self._held[key] for key in self._order] * times
        return tuple(s.tokens for s in seen), [
            torch.cat(parts) for parts in zip(*(s.deep for s in seen), strict=True)
        ]

    def reset(self) -> None:
        """Forget all pictures."""
        self._held, self._order = {}, []
