"""Features of timesteps that were encoded before, found by a digest of their pixels."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, UInt8

KEPT_TIMESTEPS = 32

EncodeTimestep = Callable[
    [UInt8[np.ndarray, 'V H W 3'], Bool[np.ndarray, ' V']], Float[np.ndarray, 'N D']
]


class FeatureCache:
    """Calls ``encode`` once for each timestep; the newest 32 are kept."""

    def __init__(self, encode: EncodeTimestep) -> None:
        self._encode = encode
        self._kept: OrderedDict[bytes, Float[np.ndarray, 'N D']] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(
        self, images: UInt8[np.ndarray, 'V H W 3'], valid: Bool[np.ndarray, ' V']
    ) -> Float[np.ndarray, 'N D']:
        """Features of one timestep, from memory where pixels and validity are those of before."""
        images = np.ascontiguousarray(images)
        mark = np.packbits(valid).tobytes()
        key = hashlib.blake2b(images.data, digest_size=16, key=mark).digest()
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._encode(images, valid)
            if len(self._kept) > KEPT_TIMESTEPS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
