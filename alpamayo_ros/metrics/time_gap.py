"""How long a car takes to the place where the one ahead is, where both have settled.

While a gap opens or closes it says nothing about the distance that a driver wants to keep.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

LEAST_MPS = 3.0  # of both: standing cars have no time gap
SAME_MPS = 0.5  # between the two
SETTLED_S = 2.0  # for so long


def steady_time_gap(
    gap_m: Float[np.ndarray, ' n'],
    own_mps: Float[np.ndarray, ' n'],
    leader_mps: Float[np.ndarray, ' n'],
    dt_s: float,
) -> float | None:
    """Median of gap / own speed [s] over the instants at which both have driven alike for 2 s.

    ``gap_m``: bumper to bumper, inf or NaN without a leader.  None where there is no such instant.
    """
    known = np.isfinite(gap_m) & np.isfinite(leader_mps)
    slower = np.minimum(own_mps, np.where(known, leader_mps, 0.0))
    apart = np.abs(own_mps - np.where(known, leader_mps, np.inf))
    settled = _for_so_long((slower >= LEAST_MPS) & (apart <= SAME_MPS), round(SETTLED_S / dt_s))
    return float(np.median(gap_m[settled] / own_mps[settled])) if settled.any() else None


def _for_so_long(holds: Bool[np.ndarray, ' n'], steps: int) -> Bool[np.ndarray, ' n']:
    """Where something has held now and for ``steps`` before."""
    if len(holds) <= steps:
        return np.zeros(len(holds), bool)
    run = np.convolve(holds.astype(int), np.ones(steps + 1, int))[: len(holds)]
    lasted: Bool[np.ndarray, ' n'] = run == steps + 1
    return lasted
