"""How far a plan lies from the path that was driven, each protocol under its own name.

Point i of a path is at (i + 1) * dt_s after t0; metres in base_link at t0; only x and y count.
The truth must be known (``valid``) at every point that enters a figure, and both must be finite
there: otherwise the answer is None, never a mean over what happened to be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

HORIZONS_S = (1.0, 2.0, 3.0, 6.0)
MISS_M = 2.0  # Argoverse 2 (Wilson et al. 2021): a miss is an end point further off than this
ASTRAY_M, ASTRAY_S = 6.0, 3.0  # nuPlan (Caesar et al. 2021): further off than this at any time


def index_of(t_s: float, dt_s: float, points: int) -> int | None:
    """Index of the point at time ``t_s``; None beyond the path or between two points."""
    if not (np.isfinite(t_s) and np.isfinite(dt_s) and dt_s > 0):
        return None
    steps = t_s / dt_s
    index = round(steps) - 1
    on_the_grid = abs(steps - (index + 1)) < 1e-6 * max(steps, 1.0)
    return index if on_the_grid and 0 <= index < points else None


def distances(
    paths: Float[np.ndarray, '*K P C'],
    truth: Float[np.ndarray, 'P D'],
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> Float[np.ndarray, '*K P']:
    """Distance [m] of every point to the truth at its time; NaN where either is not known."""
    apart = paths[..., :2] - truth[:, :2]
    with np.errstate(invalid='ignore', over='ignore'):
        gap = np.hypot(apart[..., 0], apart[..., 1])
    known = np.isfinite(gap) if valid is None else np.isfinite(gap) & valid
    return np.where(known, gap, np.nan)


def _number(value: float | np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None


def l2_at_t(
    path: Float[np.ndarray, 'P C'],
    truth: Float[np.ndarray, 'P D'],
    t_s: float,
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> float | None:
    """Distance [m] to the truth at time ``t_s`` (UniAD, Hu et al. 2023: L2 *at* t)."""
    return _at(distances(path, truth, valid), t_s, dt_s)


def l2_up_to_t(
    path: Float[np.ndarray, 'P C'],
    truth: Float[np.ndarray, 'P D'],
    t_s: float,
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> float | None:
    """Mean distance [m] over the points up to ``t_s`` (ST-P3, Hu et al. 2022, and VAD, 2023)."""
    return _mean_to(distances(path, truth, valid), t_s, dt_s)


def ade(
    path: Float[np.ndarray, 'P C'],
    truth: Float[np.ndarray, 'P D'],
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> float | None:
    """Average displacement error [m]: mean distance over the full horizon."""
    return _number(distances(path, truth, valid).mean()) if len(path) else None


def fde(
    path: Float[np.ndarray, 'P C'],
    truth: Float[np.ndarray, 'P D'],
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> float | None:
    """Final displacement error [m]: distance at the last point of the full horizon."""
    return _number(distances(path, truth, valid)[-1]) if len(path) else None


def _best(error: Float[np.ndarray, ' K']) -> int | None:
    """The candidate of least error; one that is not finite never wins."""
    finite = np.isfinite(error)
    return int(np.argmin(np.where(finite, error, np.inf))) if finite.any() else None


def min_ade_k(
    candidates: Float[np.ndarray, 'K P C'],
    truth: Float[np.ndarray, 'P D'],
    horizons_s: Sequence[float],
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> dict[float, float | None]:
    """minADE over K candidates [m] up to each horizon.

    One arg-min: the candidate of least ADE over the *full* horizon is used at the shorter ones
    too, so that no horizon picks its own favourite.  All None where the truth is not known over
    the full horizon.
    """
    gap = distances(candidates, truth, valid)
    best = _best(gap.mean(axis=1)) if gap.size else None
    return {t: None if best is None else _mean_to(gap[best], t, dt_s) for t in horizons_s}


def min_fde_k(
    candidates: Float[np.ndarray, 'K P C'],
    truth: Float[np.ndarray, 'P D'],
    horizons_s: Sequence[float],
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> dict[float, float | None]:
    """minFDE over K candidates [m] at each horizon.

    One arg-min: the candidate that ends nearest to the truth at the *full* horizon, used at the
    shorter ones too.
    """
    gap = distances(candidates, truth, valid)
    best = _best(gap[:, -1]) if gap.size else None
    return {t: None if best is None else _at(gap[best], t, dt_s) for t in horizons_s}


def _mean_to(gap: Float[np.ndarray, ' P'], t_s: float, dt_s: float) -> float | None:
    index = index_of(t_s, dt_s, len(gap))
    return None if index is None else _number(gap[: index + 1].mean())


def _at(gap: Float[np.ndarray, ' P'], t_s: float, dt_s: float) -> float | None:
    index = index_of(t_s, dt_s, len(gap))
    return None if index is None else _number(gap[index])


def missed(
    candidates: Float[np.ndarray, 'K P C'],
    truth: Float[np.ndarray, 'P D'],
    valid: Bool[np.ndarray, ' P'] | None = None,
    threshold_m: float = MISS_M,
) -> bool | None:
    """Whether no candidate ends within 2 m of the truth (Argoverse 2, Wilson et al. 2021)."""
    gap = distances(candidates, truth, valid)
    best = _best(gap[:, -1]) if gap.size else None
    return None if best is None else bool(gap[best, -1] > threshold_m)


def astray(gap: Float[np.ndarray, ' P'], dt_s: float) -> float | None:
    """1.0 where the largest distance up to 3 s is over 6 m, else 0.0 (nuPlan's miss)."""
    index = index_of(ASTRAY_S, dt_s, len(gap))
    if index is None or not np.isfinite(gap[: index + 1]).all():
        return None
    return float(gap[: index + 1].max() > ASTRAY_M)


def miss_rate(misses: Iterable[bool | None]) -> float | None:
    """Share of the evaluable cycles that missed, 0 to 1."""
    known = [m for m in misses if m is not None]
    return sum(known) / len(known) if known else None


def cycle_displacement(
    path: Float[np.ndarray, 'P C'] | None,
    candidates: Float[np.ndarray, 'K P D'] | None,
    truth: Float[np.ndarray, 'P E'],
    dt_s: float,
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> dict[str, float | None]:
    """All displacement metrics of one cycle under their names in ``METRICS``.

    ``path``: the selected plan, ``candidates``: all K; None where there was none.
    """
    out: dict[str, float | None] = {}
    points = len(truth)
    gap = np.full(points, np.nan) if path is None else distances(path, truth, valid)
    for t in HORIZONS_S:
        out[f'l2_at_{t:.0f}s'] = _at(gap, t, dt_s)
        out[f'l2_up_to_{t:.0f}s'] = _mean_to(gap, t, dt_s)
    out['ade'] = _number(gap.mean()) if points else None
    out['fde'] = _number(gap[-1]) if points else None
    out['miss_rate_6m_up_to_3s'] = astray(gap, dt_s)
    if candidates is None:
        candidates = np.zeros((0, points, 2))
    for name, metric in (('ade', min_ade_k), ('fde', min_fde_k)):
        for t, value in metric(candidates, truth, HORIZONS_S, dt_s, valid).items():
            out[f'min_{name}_k_{t:.0f}s'] = value
    miss = missed(candidates, truth, valid)
    out['miss_rate_k_2m'] = None if miss is None else float(miss)
    return out
