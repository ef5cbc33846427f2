"""The denoiser's starting noise: the same bytes for the same seed and t0, on every machine."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def noise(seed: int, t0_ns: int, candidates: int, points: int) -> Float[np.ndarray, 'K P 3']:
    """Unit normal float32 noise, seeded by (seed, t0) through numpy's SeedSequence and PCG64."""
    generator = np.random.default_rng([seed % 2**64, t0_ns % 2**64])
    return generator.standard_normal((candidates, points, 3), dtype=np.float32)
