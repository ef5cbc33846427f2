"""Static key/value cache: fixed shape, written in place at given slots."""

from __future__ import annotations

import torch
from torch import Tensor


class KVCache:
    """Keys and values of every layer, each (B, kv_heads, slots, head_width)."""

    def __init__(
        self,
        layers: int,
        batch: int,
        kv_heads: int,
        slots: int,
        head_width: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (batch, kv_heads, slots, head_width)
        self.keys, self.values = (
            [torch.zeros(shape, device=device, dtype=dtype) for _ in range(layers)]
            for _ in range(2)
        )

    def write(self, layer: int, start: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store at slots start..start+n-1 and return the whole cache of the layer."""
        n = k.shape[2]
        self.keys[layer][:, :, start : start + n] = k
        self.values[layer][:, :, start : start + n] = v
        return self.keys[layer], self.values[layer]
