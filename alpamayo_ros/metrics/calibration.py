"""Whether the spread of the K candidates says how wrong they are.

The energy score (lower is better) rewards being near *and* honestly spread.  The level is the
smallest prediction ellipse of the candidates that holds the truth: over many cycles of a
calibrated model it is uniform on 0..1, so half of the levels lie below 0.5.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.metrics.displacement import index_of

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
FLOOR_M = 0.05  # localisation noise of a recorded path; keeps the ellipse of equal candidates


def _points(
    candidates: Float[np.ndarray, 'K P C'],
    truth: Float[np.ndarray, 'P D'],
    t_s: float,
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None,
) -> tuple[np.ndarray, np.ndarray] | None:
    index = index_of(t_s, dt_s, len(truth))
    if index is None or (valid is not None and not valid[index]):
        return None
    cloud, point = candidates[:, index, :2], truth[index, :2]
    return (cloud, point) if np.isfinite(cloud).all() and np.isfinite(point).all() else None


def energy_score_at_t(
    candidates: Float[np.ndarray, 'K P C'],
    truth: Float[np.ndarray, 'P D'],
    t_s: float,
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> float | None:
    """Energy score [m] of the K positions at ``t_s``: E|X - y| - E|X - X'| / 2.

    Gneiting and Raftery 2007, equation 22, with the mean over K (K - 1) pairs, so that it does
    not reward a larger K (the 'fair' score, Ferro 2014).  It may be negative.  None with fewer
    than 2 candidates.
    """
    found = _points(candidates, truth, t_s, dt_s, valid)
    if found is None or len(found[0]) < 2:
        return None
    cloud, point = found
    k = len(cloud)
    near = np.hypot(*(cloud - point).T).mean()
    apart = np.hypot(*np.moveaxis(cloud[:, None] - cloud[None], -1, 0)).sum() / (k * (k - 1))
    return float(near - apart / 2)


def spread_level_at_t(
    candidates: Float[np.ndarray, 'K P C'],
    truth: Float[np.ndarray, 'P D'],
    t_s: float,
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
    floor_m: float = FLOOR_M,
) -> float | None:
    """Content, 0..1, of the smallest prediction ellipse of the K positions that holds the truth.

    For K draws and a truth from one normal distribution, K / (K + 1) d^2 (K - 2) / (2 (K - 1))
    follows F(2, K - 2), where d is the Mahalanobis distance under the sample covariance
    (Hotelling 1931; Johnson and Wichern, section 5.2); with 2 in the numerator that distribution
    is 1 - (1 + K d^2 / (K^2 - 1))^(1 - K / 2).  ``floor_m`` squared is added to both variances.
    None with fewer than 4 candidates.
    """
    found = _points(candidates, truth, t_s, dt_s, valid)
    if found is None or len(found[0]) < 4:
        return None
    cloud, point = found
    k = len(cloud)
    covariance = np.cov(cloud.T) + floor_m**2 * np.eye(2)
    if np.linalg.det(covariance) <= 0.0:
        return None
    off = point - cloud.mean(axis=0)
    squared = float(off @ np.linalg.solve(covariance, off))
    return float(1.0 - (1.0 + k * squared / (k**2 - 1)) ** (1.0 - k / 2))


def coverage(levels: Iterable[float | None], quantile: float) -> float | None:
    """Share of cycles whose truth lies inside the ``quantile`` ellipse; calibrated: the same."""
    known = [v for v in levels if v is not None]
    return sum(v <= quantile for v in known) / len(known) if known else None


def calibration_error(levels: Iterable[float | None]) -> float | None:
    """Mean over the nine deciles of |coverage - quantile|: 0 calibrated, 0.5 never or always."""
    known = [v for v in levels if v is not None]
    if not known:
        return None
    found = np.searchsorted(np.sort(known), QUANTILES, side='right') / len(known)
    return float(np.abs(found - QUANTILES).mean())
