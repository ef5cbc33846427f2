"""Whether the stamps of the sensors are of one clock.

Three signs: how long after its stamp a message was recorded; how the stamps of two cameras lie to
each other; and when the picture turns against when the odometry says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.rigs.flow import Tracks
from alpamayo_ros.rigs.pictures import Motion
from alpamayo_ros.sensing.rig import RigCamera

FARTHEST_S, STEP_S = 0.6, 0.01  # lags that are tried
LEAST_TURN_RPS = 0.03  # standard deviation of the yaw rate: below it there is nothing to compare
LEAST_PAIRS, LEAST_CORNERS = 30, 15
SURE = 0.8  # correlation at the best lag
LEVEL = 0.5  # cosine: cameras that look further than 60 degrees away from the way are left out


@dataclass(frozen=True, slots=True)
class Lag:
    """``lag_s`` > 0: the pictures are stamped later than the odometry for the same moment."""

    lag_s: float
    correlation: float


def phase(stamps_s: Sequence[float], reference_s: Sequence[float]) -> float:
    """Median distance [s] of a camera's stamps from the nearest of the reference; > 0: later."""
    one, other = np.sort(np.array(stamps_s)), np.sort(np.array(reference_s))
    after = np.clip(np.searchsorted(other, one), 1, len(other) - 1)
    left, right = one - other[after - 1], one - other[after]
    return float(np.median(np.where(np.abs(left) <= np.abs(right), left, right)))


def lag(camera: RigCamera, pairs: Sequence[Tracks], motion: Motion) -> Lag | None:
    """By which shift the turning of the picture fits the odometry best; None: not to be said."""
    way = camera.base_from_optical[:3, :3][0, 2]
    if abs(way) < LEVEL or len(motion.stamps_s) < 2:
        return None
    used = [p for p in pairs if len(p.before) >= LEAST_CORNERS]
    when = np.array([(p.from_s + p.to_s) / 2 for p in used])
    turned = np.array([_turning(camera, p) for p in used])
    known = motion.at(motion.yaw_rate_rps, when)
    ok = np.isfinite(known)
    if ok.sum() < LEAST_PAIRS or float(np.std(known[ok])) < LEAST_TURN_RPS:
        return None
    lags = np.arange(-FARTHEST_S, FARTHEST_S + STEP_S / 2, STEP_S)
    fits = np.array([_fit(turned, motion, when - shift) for shift in lags])
    if not np.isfinite(fits).any():
        return None
    best = int(np.nanargmax(fits))
    return Lag(float(lags[best]), float(fits[best]))


def _fit(turned: np.ndarray, motion: Motion, when_s: np.ndarray) -> float:
    """Correlation of the picture's turning with the odometry's yaw rate at other times."""
    known = motion.at(motion.yaw_rate_rps, when_s)
    ok = np.isfinite(known)
    if ok.sum() < LEAST_PAIRS or not np.std(known[ok]) or not np.std(turned[ok]):
        return float('nan')
    return float(np.corrcoef(turned[ok], known[ok])[0, 1])


def _turning(camera: RigCamera, found: Tracks) -> float:
    """Rate [rad/s] at which the picture turns about the vertical, positive to the left.

    The median over corners near the horizon: those ahead and behind move by the turn, and what
    the way adds is as much to the left as to the right.
    """
    base = camera.base_from_optical[:3, :3]
    one, two = (_azimuth(base, rays) for rays in (found.before, found.after))
    moved = np.angle(np.exp(1j * (one - two)))
    return float(np.median(moved)) / (found.to_s - found.from_s)


def _azimuth(base: np.ndarray, rays: np.ndarray) -> np.ndarray:
    ways = np.column_stack([rays, np.ones(len(rays))]) @ base.T
    return np.arctan2(ways[:, 1], ways[:, 0])
