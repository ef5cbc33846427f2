"""Whether the stamps of the sensors are of one clock.

Three signs: how long after its stamp a message was recorded; how the stamps of two cameras lie to
each other; and when the picture turns against when the odometry says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.rigs.flow import Tracks
from alpamayo_ros.rigs.picture_turn import picture_turn
from alpamayo_ros.rigs.pictures import Motion, Series
from alpamayo_ros.sensing.rig import RigCamera

FARTHEST_S, STEP_S = 0.6, 0.01  # lags that are tried
LEAST_TURN_RPS = 0.03  # standard deviation of the yaw rate: below it there is nothing to compare
LEAST_PAIRS = 30
LEAST_SPEED_MPS = 1.0  # below it the flow has no way, and a car hardly turns
LEVEL = 0.5  # cosine: cameras that look further than 60 degrees away from the way are left out
CHI2_99 = 6.635  # 99 % quantile of chi squared with one degree of freedom


@dataclass(frozen=True, slots=True)
class Lag:
    """``lag_s`` > 0: the pictures are stamped later than the odometry for the same moment.

    ``low_s`` and ``high_s`` hold the lag between them with 99 %.  ``gain``: turning of the
    picture over that of the odometry, 1 where both tell the truth.
    """

    lag_s: float
    low_s: float
    high_s: float
    correlation: float
    gain: float


def phase(stamps_s: Sequence[float], reference_s: Sequence[float]) -> float:
    """Median distance [s] of a camera's stamps from the nearest of the reference; > 0: later."""
    one, other = np.sort(np.array(stamps_s)), np.sort(np.array(reference_s))
    after = np.clip(np.searchsorted(other, one), 1, len(other) - 1)
    left, right = one - other[after - 1], one - other[after]
    return float(np.median(np.where(np.abs(left) <= np.abs(right), left, right)))


def lag(camera: RigCamera, pairs: Sequence[Tracks], motion: Motion) -> Lag | None:
    """By which shift the turning of the picture fits the odometry best; None: not to be said.

    The fit hardly changes with the shift where the yaw rate varies slowly, and the best one is
    then a matter of chance.  So the lag is an interval: with N independent values the fit at a
    shift is worse than the best by more than chance where

        N ln((1 - r^2) / (1 - r_best^2)) > CHI2_99

    (likelihood ratio of a linear model).  What the picture says wrongly it says for a while, so
    N is the number of pairs over the time, in pairs, for which a residual lasts.
    """
    seen = _seen(camera, pairs, motion)
    lags = np.arange(-FARTHEST_S, FARTHEST_S + STEP_S / 2, STEP_S)
    known = np.array([motion.turn(*(seen[:, :2].T - shift)) for shift in lags])
    ok = np.isfinite(known).all(axis=0) & np.isfinite(seen[:, 2])  # the same pairs at each shift
    if ok.sum() < LEAST_PAIRS:
        return None
    known = known[:, ok] / (seen[ok, 1] - seen[ok, 0])
    if float(np.std(known, axis=1).min()) < LEAST_TURN_RPS or not np.std(seen[ok, 2]):
        return None
    fits = np.array([np.corrcoef(one, seen[ok, 2])[0, 1] for one in known])
    best = int(np.argmax(fits))
    gain, offset = np.polyfit(known[best], seen[ok, 2], 1)
    independent = ok.sum() / _lasting(seen[ok, 2] - gain * known[best] - offset)
    missed = np.maximum(1.0 - np.maximum(fits, 0.0) ** 2, np.finfo(float).eps)
    within = lags[independent * np.log(missed / missed[best]) <= CHI2_99]
    numbers = (lags[best], within[0], within[-1], fits[best], gain)
    return Lag(*(float(number) for number in numbers))


def _seen(camera: RigCamera, pairs: Sequence[Tracks], motion: Motion) -> Float[np.ndarray, 'N 3']:
    """From [s], to [s] and rate of turning [rad/s] of each pair while driving; NaN: unknown."""
    way = camera.base_from_optical[:3, :3][0, 2]
    rows = []
    for pair in pairs if abs(way) >= LEVEL and len(motion.stamps_s) > 1 else ():
        took_s = pair.to_s - pair.from_s
        speed = float(motion.at(motion.speed_mps, (pair.from_s + pair.to_s) / 2))
        if abs(speed) > LEAST_SPEED_MPS:
            rate = picture_turn(camera, pair, speed * took_s) / took_s
            rows.append((pair.from_s, pair.to_s, rate))
    return np.array(rows, float).reshape(-1, 3)


def _lasting(residual: Series) -> float:
    """For how many values a residual lasts: its correlations, summed up to the first below 0."""
    number = len(residual)
    with_later = np.correlate(residual, residual, 'full')[number - 1 :]
    if not with_later[0]:
        return 1.0
    end = int(np.argmax(with_later <= 0)) or number
    return float(2 * with_later[:end].sum() / with_later[0] - 1)
