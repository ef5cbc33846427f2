"""Places, positions and mask of ``[text prefix] [visual tokens] [ego] [CoC]`` in numpy
(``VLA.hidden``).

The prefix is causal; scene tokens (visual and ego) see the prefix and each other with a learned
bias and share one RoPE position; the CoC is causal and sees everything before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

MASKED = np.float32(-1e4)


@dataclass(frozen=True, slots=True)
class Sequence:
    """``prefix`` text tokens, ``scene`` scene tokens, then CoC, in a cache of ``slots``."""

    prefix: int
    scene: int
    slots: int
    max_prefix: int

    def positions(self, start: int, count: int) -> Int[np.ndarray, '1 n']:
        """RoPE positions of the tokens at places start..start + count - 1."""
        place = np.arange(start, start + count)
        coc = place - self.prefix - self.scene
        after = np.where(coc < 0, self.max_prefix, self.max_prefix + 1 + coc)
        return np.asarray(np.where(place < self.prefix, place, after)[None], np.int64)

    def mask(
        self, start: int, count: int, bias: Float[np.ndarray, 'M M'] | None = None
    ) -> Float[np.ndarray, '1 1 n slots']:
        """Additive mask of those tokens over all slots; ``bias`` when the scene is among them."""
        place = np.arange(start, start + count)[:, None]
        mask = np.where(np.arange(self.slots)[None] > place, MASKED, np.float32(0.0))
        if bias is not None:
            begin, end = self.prefix, self.prefix + self.scene
            mask[begin - start : end - start, begin:end] = bias
        return np.asarray(mask[None, None], np.float32)
