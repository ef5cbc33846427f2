"""The choice among checked candidates: deterministic, and the same in whatever order they come."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

TIE = 1e-9  # costs closer than this are equal


def select(
    total_cost: Float[np.ndarray, ' K'],
    allowed: Bool[np.ndarray, ' K'],
    poses: Float[np.ndarray, 'K P 3'],
) -> int | None:
    """Index of the cheapest allowed candidate with a finite cost and path; None when none is left.

    Candidates that are not finite are dropped before the minimum is taken (``argmin`` would pick
    NaN).  Ties go to the path that is first in the order of its numbers, end point first, so that
    the chosen *path* does not depend on the order of the candidates.
    """
    usable = allowed & np.isfinite(total_cost) & np.isfinite(poses).all(axis=(1, 2))
    indices = np.flatnonzero(usable)
    if not len(indices):
        return None
    best = total_cost[indices].min()
    tied = indices[total_cost[indices] <= best + TIE]
    return int(min(tied, key=lambda k: tuple(poses[k].ravel()[::-1].tolist())))
