"""Comfort of a drive by nuPlan's six bounds, with nuPlan's own smoothing."""

from __future__ import annotations

from math import factorial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# nuPlan (Caesar et al. 2021), metric ego_is_comfortable: lower and upper bound of each signal.
BOUNDS: dict[str, tuple[float, float]] = {
    'longitudinal_acceleration_mps2': (-4.05, 2.40),
    'lateral_acceleration_mps2': (-4.89, 4.89),
    'jerk_mps3': (-8.37, 8.37),
    'longitudinal_jerk_mps3': (-4.13, 4.13),
    'yaw_rate_rps': (-0.95, 0.95),
    'yaw_acceleration_rps2': (-1.93, 1.93),
}
ACCELERATION_WINDOW, JERK_WINDOW, YAW_WINDOW = 8, 15, 5
LEAST_SAMPLES = 4  # a cubic needs four points


class Comfort(NamedTuple):
    """``within``: each bound kept; ``extremes``: value of largest magnitude of each signal."""

    within: dict[str, bool]
    extremes: dict[str, float]

    @property
    def comfortable(self) -> bool:
        """All six bounds kept at every time."""
        return all(self.within.values())


def savitzky_golay(
    values: Float[np.ndarray, ' n'], window: int, order: int, derivative: int, dt_s: float
) -> Float[np.ndarray, ' n']:
    """Least-squares polynomial over a sliding window, or its derivative (Savitzky, Golay 1964).

    Ends come from the polynomial of the first and last whole window, as in scipy's mode
    'interp'.  An even window looks half a sample ahead, as there.
    """
    n, half = len(values), window // 2
    time = np.arange(window) - (window - 1) / 2
    fit = np.linalg.pinv(np.vander(time, order + 1, increasing=True))

    def weights(at: np.ndarray) -> np.ndarray:
        power = np.arange(derivative, order + 1)
        factor = np.array([factorial(k) / factorial(k - derivative) for k in power])
        terms = factor * at[:, None] ** (power - derivative)
        return np.asarray(terms @ fit[derivative:]) / dt_s**derivative

    middle = np.convolve(values, weights(np.zeros(1))[0][::-1], 'valid')
    out = np.empty(n)
    out[half : n - half] = middle[half - (window - 1) // 2 :][: n - 2 * half]
    out[:half] = weights(time[:half]) @ values[:window]
    out[n - half :] = weights(time[window - half :]) @ values[n - window :]
    return out


def _smooth(
    values: Float[np.ndarray, ' n'], window: int, derivative: int, dt_s: float, order: int = 2
) -> Float[np.ndarray, ' n']:
    return savitzky_golay(values, min(window, len(values)), order, derivative, dt_s)


def signals(
    speed_mps: Float[np.ndarray, ' n'],
    acceleration_mps2: Float[np.ndarray, ' n'],
    yaw_rate_rps: Float[np.ndarray, ' n'],
    dt_s: float,
    heading_rad: Float[np.ndarray, ' n'] | None = None,
) -> dict[str, Float[np.ndarray, ' n']]:
    """The six signals as nuPlan smooths them.

    Accelerations: window 8, quadratic.  Jerks: slope over a window of 15 of the smoothed
    acceleration (of its magnitude for ``jerk``).  Yaw rate and acceleration: first (quadratic)
    and second (cubic) derivative of the heading over a window of 5; without ``heading_rad`` the
    given yaw rate, smoothed, and its slope.
    """
    lateral = speed_mps * yaw_rate_rps
    window = ACCELERATION_WINDOW
    along = _smooth(acceleration_mps2, window, 0, dt_s)
    size = _smooth(np.hypot(acceleration_mps2, lateral), window, 0, dt_s)
    if heading_rad is None:
        turn = _smooth(yaw_rate_rps, YAW_WINDOW, 0, dt_s)
        turn_slope = _smooth(yaw_rate_rps, YAW_WINDOW, 1, dt_s)
    else:
        heading = np.unwrap(heading_rad)
        turn = _smooth(heading, YAW_WINDOW, 1, dt_s)
        turn_slope = _smooth(heading, YAW_WINDOW, 2, dt_s, 3)
    return {
        'longitudinal_acceleration_mps2': along,
        'lateral_acceleration_mps2': _smooth(lateral, window, 0, dt_s),
        'jerk_mps3': _smooth(size, JERK_WINDOW, 1, dt_s),
        'longitudinal_jerk_mps3': _smooth(along, JERK_WINDOW, 1, dt_s),
        'yaw_rate_rps': turn,
        'yaw_acceleration_rps2': turn_slope,
    }


def lateral_jerk_max(
    speed_mps: Float[np.ndarray, ' n'], yaw_rate_rps: Float[np.ndarray, ' n'], dt_s: float
) -> float | None:
    """Largest slope [m/s3] of the smoothed lateral acceleration, speed * yaw rate.

    Windows as ``signals`` uses for jerks; None as ``nuplan_comfort``.
    """
    usable = len(speed_mps) >= LEAST_SAMPLES and np.isfinite(dt_s) and dt_s > 0
    if not usable or not (np.isfinite(speed_mps).all() and np.isfinite(yaw_rate_rps).all()):
        return None
    lateral = _smooth(speed_mps * yaw_rate_rps, ACCELERATION_WINDOW, 0, dt_s)
    return float(np.abs(_smooth(lateral, JERK_WINDOW, 1, dt_s)).max())


def nuplan_comfort(
    speed_mps: Float[np.ndarray, ' n'],
    acceleration_mps2: Float[np.ndarray, ' n'],
    yaw_rate_rps: Float[np.ndarray, ' n'],
    dt_s: float,
    heading_rad: Float[np.ndarray, ' n'] | None = None,
) -> Comfort | None:
    """Which of nuPlan's six bounds a drive keeps; samples every ``dt_s`` (nuPlan: 0.1 s).

    nuPlan takes accelerations at the middle of the car; here they are those of base_link (rear
    axle), lateral = speed * yaw rate.  A value on the bound is inside.  None with fewer than 4
    samples, a number that is not finite or dt <= 0.
    """
    given = [speed_mps, acceleration_mps2, yaw_rate_rps]
    given += [] if heading_rad is None else [heading_rad]
    usable = len(speed_mps) >= LEAST_SAMPLES and np.isfinite(dt_s) and dt_s > 0
    if not usable or not all(np.isfinite(g).all() for g in given):
        return None
    found = signals(speed_mps, acceleration_mps2, yaw_rate_rps, dt_s, heading_rad)
    extremes = {name: float(v[np.argmax(np.abs(v))]) for name, v in found.items()}
    within = {
        name: bool((v >= BOUNDS[name][0]).all() and (v <= BOUNDS[name][1]).all())
        for name, v in found.items()
    }
    return Comfort(within, extremes)
