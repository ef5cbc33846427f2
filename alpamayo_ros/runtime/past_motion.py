"""Past motion as the numbers that a model with history tokens reads."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from alpamayo_ros.types import EgoHistory


def past_motion(
    ego: EgoHistory,
) -> tuple[Float[np.ndarray, 'H 3'], Float[np.ndarray, ' H']]:
    """Speed m/s, acceleration m/s2 and steering rad, newest first; and 1 where it is known.

    A number that is not finite makes its instant absent.
    """
    rows = np.stack([ego.speed_mps, ego.acceleration_mps2, ego.steering_rad], 1)
    known = ego.valid & np.isfinite(rows).all(1)
    return np.where(known[:, None], rows, 0.0).astype(np.float32), known.astype(np.float32)
