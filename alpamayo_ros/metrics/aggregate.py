"""Figures over many drives with 95 % intervals, by a bootstrap over groups.

Cycles of one drive, and drives of one scenario template, are not independent: whole groups are
drawn (cluster bootstrap, Davison and Hinkley 1997, section 3.8), never single values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
SEED = 0
Z_95 = 1.959964


class Interval(NamedTuple):
    """A figure and its 95 % interval; the bounds are None where one group alone gives none."""

    mean: float
    low: float | None
    high: float | None


def ratio_ci95(
    groups: Mapping[str, tuple[float, float]], resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """Sum of numerators over sum of denominators, with its percentile bootstrap over groups.

    ``groups``: (numerator, denominator) of each.  Means, F1 and kilometres per incident are such
    ratios.  The order of the groups does not matter.  None where the denominators sum to zero;
    bounds are None with one group only, and inf where a resample has no denominator.
    """
    rows = np.array([groups[name] for name in sorted(groups)], float).reshape(-1, 2)
    if not np.isfinite(rows).all():
        raise ValueError('expected finite numerators and denominators; leave out what is unknown')
    total = rows.sum(axis=0)
    if total[1] == 0:
        return None
    mean = float(total[0] / total[1])
    if len(rows) < 2:
        return Interval(mean, None, None)
    drawn = np.random.default_rng(seed).integers(0, len(rows), (resamples, len(rows)))
    sums = rows[drawn].sum(axis=1)
    usable = sums[:, 1] > 0
    empty = np.where(sums[:, 0] > 0, np.inf, np.nan)
    found = np.where(usable, sums[:, 0] / np.where(usable, sums[:, 1], 1.0), empty)
    found = found[~np.isnan(found)]
    low, high = np.quantile(found, [0.025, 0.975], method='inverted_cdf')
    return Interval(mean, float(low), float(high))


def mean_ci95(
    groups: Mapping[str, Sequence[float | None]], resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """Mean of all known values with its 95 % interval over groups; None where none is known."""
    sums: dict[str, tuple[float, float]] = {}
    for name, values in groups.items():
        known = [float(v) for v in values if v is not None]
        if any(not math.isfinite(v) for v in known):
            raise ValueError(f'expected finite values or None in {name!r}, got {known}')
        if known:
            sums[name] = (math.fsum(known), float(len(known)))
    return ratio_ci95(sums, resamples, seed)


def f1_ci95(
    groups: Mapping[str, Sequence[tuple[int, int, int]]],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """Micro F1 over (tp, fp, fn) with its 95 % interval over groups; None without any fact."""
    sums: dict[str, tuple[float, float]] = {}
    for name, counts in groups.items():
        tp, fp, fn = (sum(c[i] for c in counts) for i in range(3))
        if tp + fp + fn:
            sums[name] = (2.0 * tp, 2.0 * tp + fp + fn)
    return ratio_ci95(sums, resamples, seed)


def wilson(hits: int, count: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927); (0, 1) without any trial."""
    if count <= 0:
        return 0.0, 1.0
    p, n = hits / count, float(count)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
