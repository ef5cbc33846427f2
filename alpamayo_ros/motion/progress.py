"""How far a plan has come at each point: fitted to its waypoints, then driven under the limits.

Items 1 and 2 of ``rollout``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.steering import INSIDE

SIGMA_POSITION_M = 0.05  # expected noise of a waypoint (test/unit/motion/)
SIGMA_JERK_MPS3 = 2.5  # typical size of what is penalised
GO_M = 0.25  # at rest, a plan that goes less far than this goes nowhere


@lru_cache(maxsize=8)
def _progress_map(points: int, dt_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Matrices A (P, P) and b (P): s = A z + b v0 minimises item 1 of the module's docstring."""
    third = np.zeros((points - 1, points + 2))  # unknowns s_-1, s_0, s_1 ... s_P
    for i in range(points - 1):
        third[i, i : i + 4] = [-1, 3, -3, 1]
    third /= dt_s**3 * SIGMA_JERK_MPS3
    free, minus = third[:, 2:], third[:, 0]  # s_0 = 0, s_-1 = -v0 dt
    normal = np.eye(points) / SIGMA_POSITION_M**2 + free.T @ free
    a = np.linalg.solve(normal, np.eye(points) / SIGMA_POSITION_M**2)
    b = np.linalg.solve(normal, free.T @ minus * dt_s)
    return a, b


def fit_progress(
    raw: Float[np.ndarray, 'K P 3'], speed0_mps: float, dt_s: float
) -> Float[np.ndarray, 'K P']:
    """Smooth progress along each candidate; noise across the path and at rest adds nothing."""
    previous = np.concatenate([np.zeros_like(raw[:, :1]), raw[:, :-1]], axis=1)
    delta = raw - previous
    middle = previous[..., 2] + delta[..., 2] / 2
    along = np.cumsum(delta[..., 0] * np.cos(middle) + delta[..., 1] * np.sin(middle), axis=1)
    a, b = _progress_map(raw.shape[1], dt_s)
    return np.maximum.accumulate(np.maximum(along @ a.T + b * speed0_mps, 0.0), axis=1)


def drive(
    wanted_m: Float[np.ndarray, 'K P'], speed0: float, limits: Limits, cap: float, dt_s: float
) -> tuple[Float[np.ndarray, 'K P'], Float[np.ndarray, 'K P']]:
    """Speed at each point, length of each step: the wanted progress under the limits."""
    k, p = wanted_m.shape
    padded = np.concatenate(
        [np.zeros((k, 1)), wanted_m, 2 * wanted_m[:, -1:] - wanted_m[:, -2:-1]], 1
    )
    wanted_speed = (padded[:, 2:] - padded[:, :-2]) / (2 * dt_s)
    slowing = speed0 - limits.stop_deceleration_mps2 * dt_s * np.arange(1, p + 1)
    top = np.maximum(cap, slowing).tolist()
    bound = _Bound(
        limits.acceleration_warn_mps2 * INSIDE,
        -limits.deceleration_mps2 * INSIDE,
        limits.longitudinal_jerk_mps3 * INSIDE * dt_s,
        limits.rest_speed_mps,
    )
    each = zip(padded[:, :-1].tolist(), wanted_speed.tolist(), strict=True)
    driven = np.array([_follow(way, want, top, speed0, bound, dt_s) for way, want in each])
    return driven[:, 0], driven[:, 1]


class _Bound(NamedTuple):
    """What one step may do: acceleration, its change, and the speed that counts as rest."""

    high_mps2: float
    low_mps2: float
    change_mps2: float
    rest_mps: float


def _follow(
    wanted_m: list[float],
    wanted_mps: list[float],
    top_mps: list[float],
    v: float,
    bound: _Bound,
    dt_s: float,
) -> tuple[list[float], list[float]]:
    """Speeds and steps of one candidate; plain floats, because each step needs the one before.

    The same loop takes five times as long on arrays of eight, three times with min and max.
    ``wanted_m`` begins at 0.
    """
    high, low, change, rest = bound
    end = wanted_m[-1]
    s, a = 0.0, float('nan')
    speeds, steps = [], []
    for i, (way, fast, top) in enumerate(zip(wanted_m[:-1], wanted_mps, top_mps, strict=True)):
        lag = way - s
        lag = -1.0 if lag < -1.0 else 1.0 if lag > 1.0 else lag
        goal = fast + 0.5 * lag
        if goal > top:
            goal = top
        if fast < rest or (v < rest and end - s < GO_M):
            goal = 0.0
        want = (goal - v) / dt_s
        if i:
            want = a - change if want < a - change else a + change if want > a + change else want
        want = low if want < low else high if want > high else want
        after = v + want * dt_s
        after = after if after > 0.0 else 0.0
        step = (v + after) * (dt_s / 2)
        a, v = (after - v) / dt_s, after
        s += step
        speeds.append(v)
        steps.append(step)
    return speeds, steps
