"""How far the heading of a plan lies from the driven one (nuPlan, Caesar et al. 2021)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def heading_errors(
    path: Float[np.ndarray, 'P C'] | None,
    truth: Float[np.ndarray, 'P D'],
    valid: Bool[np.ndarray, ' P'] | None = None,
) -> dict[str, float | None]:
    """``heading_error_mean`` over the full horizon and ``heading_error_end`` at its end [rad].

    Third column of both: heading in base_link at t0.  Differences are taken the short way round;
    None where the truth is not known at a point that enters, or a number is not finite.
    """
    if path is None or not len(truth):
        return {'heading_error_mean': None, 'heading_error_end': None}
    with np.errstate(invalid='ignore'):
        gap = np.abs((path[:, 2] - truth[:, 2] + np.pi) % (2 * np.pi) - np.pi)
    gap = np.where(np.ones(len(gap), bool) if valid is None else valid, gap, np.nan)
    found = {'heading_error_mean': float(gap.mean()), 'heading_error_end': float(gap[-1])}
    return {name: value if np.isfinite(value) else None for name, value in found.items()}
