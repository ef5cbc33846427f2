"""Checks of a plan against its limits; anything not finite is a violation.

The limits are those of docs/faults.md, "Limits".  Each check is one number a candidate, compared
as ``value <= limit`` and rejected when that is not true, so that NaN fails (``nan > limit`` is
False too).  Raw waypoints are checked for what the model said (start, finiteness), the feasible
trajectory for what would be driven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.jump import jump
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.types import EgoState

NO_WARNING = float('inf')
HEADING_POINTS = 3  # the raw start heading is the mean of these, for its noise of about 2 deg
START_POINTS = 5  # the raw start speed is the slope of the progress over these points


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one candidate; the unit is in the name.  ``ok`` is False above ``limit``."""

    name: str
    value: float
    warn: float
    limit: float
    ok: bool

    @property
    def warned(self) -> bool:
        """Whether the value is beyond the warning level, or not a number."""
        return not self.value <= min(self.warn, self.limit)


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks of K candidates: ``values`` (K, C) against ``warns`` and ``limits`` (C)."""

    names: tuple[str, ...]
    values: Float[np.ndarray, 'K C']
    warns: Float[np.ndarray, ' C']
    limits: Float[np.ndarray, ' C']

    @property
    def ok(self) -> Bool[np.ndarray, ' K']:
        """Whether every check of a candidate holds; False for anything not finite."""
        return np.asarray((self.values <= self.limits).all(axis=1) & self._finite)

    @property
    def warned(self) -> Bool[np.ndarray, 'K C']:
        """Which values are beyond their warning level."""
        return np.asarray(~(self.values <= np.minimum(self.warns, self.limits)))

    @property
    def _finite(self) -> Bool[np.ndarray, ' K']:
        return np.asarray(np.isfinite(self.values).all(axis=1))

    def of(self, k: int) -> list[CheckResult]:
        """The checks of candidate ``k``, each with its value and limit."""
        rows = zip(self.names, self.values[k], self.warns, self.limits, strict=True)
        return [CheckResult(n, float(v), float(w), float(m), bool(v <= m)) for n, v, w, m in rows]

    def rejections(self) -> dict[str, int]:
        """How many candidates each check rejects, checks that reject none left out."""
        counts = (~(self.values <= self.limits)).sum(axis=0)
        return {n: int(c) for n, c in zip(self.names, counts, strict=True) if c}


def validate(
    raw: Float[np.ndarray, 'K P 3'],
    rollout: Rollout,
    ego: EgoState,
    previous: Plan | None,
    limits: Limits,
    speed_cap_mps: float,
    dt_s: float,
) -> Checks:
    """Check K candidates.  ``ego`` is the state at t0, ``previous`` the plan being driven.

    ``dt_s`` is the profile's time step, which the roll-out's must equal.
    """
    k = len(raw)
    with np.errstate(all='ignore'):  # NaN and infinity are answers here: they are refused
        columns = [
            *_form(raw, rollout, limits, dt_s),
            *_start(raw, ego, limits, dt_s),
            *ride(rollout, ego, limits, speed_cap_mps),
            *_path(raw, rollout, ego, limits, dt_s),
            *_jump(rollout, ego, previous, limits),
        ]
        return table(columns, k)


Column = tuple[str, 'np.ndarray | float', float, float]


def table(columns: list[Column], k: int) -> Checks:
    """Columns of (name, value or values, warning, limit) as the checks of ``k`` candidates."""
    names, values, warns, tops = zip(*columns, strict=True)
    # Speeds and lengths of a candidate that is not finite are not either: every row then fails.
    rows = np.empty((k, len(values)))
    for column, value in enumerate(values):
        rows[:, column] = value
    return Checks(tuple(names), rows, np.array(warns, float), np.array(tops, float))


def _form(raw: np.ndarray, rollout: Rollout, limits: Limits, dt_s: float) -> list[Column]:
    """Finite numbers and the right time step; 0 where all is well, 1 where not."""
    whole = np.isfinite(raw).all(axis=(1, 2))
    for name in ('speed_mps', 'acceleration_mps2', 'steering_rad', 'curvature_1pm'):
        whole &= np.isfinite(getattr(rollout, name)).all(axis=1)
    whole &= np.isfinite(rollout.poses).all(axis=(1, 2))
    points = float(rollout.poses.shape[1] != raw.shape[1])
    return [
        ('not_finite', np.where(whole, 0.0, 1.0), NO_WARNING, 0.5),
        ('points_missing', points, NO_WARNING, 0.5),
        ('dt_error_s', abs(rollout.dt_s - dt_s), NO_WARNING, limits.dt_tolerance_s),
        ('dt_not_positive', float(not rollout.dt_s > 0), NO_WARNING, 0.5),
    ]


def _start(raw: np.ndarray, ego: EgoState, limits: Limits, dt_s: float) -> list[Column]:
    """What the model says against where the ego is; at rest all three are simply zero."""
    speed = max(ego.speed_mps, 0.0)
    expected = np.array([speed * dt_s, 0.0])
    apart = np.hypot(*(raw[:, 0, :2] - expected).T)
    few = min(HEADING_POINTS, raw.shape[1])
    turned = np.abs(raw[:, :few, 2].mean(axis=1) - ego.yaw_rate_rps * dt_s * (few + 1) / 2)
    n = min(START_POINTS, raw.shape[1])
    time = (np.arange(n) - (n - 1) / 2) * dt_s
    heading = raw[:, :n, 2].mean(axis=1, keepdims=True)
    along = raw[:, :n, 0] * np.cos(heading) + raw[:, :n, 1] * np.sin(heading)
    slope = along @ time / (time @ time)
    lim = limits
    return [
        ('start_position_m', apart, lim.start_position_warn_m, lim.start_position_m),
        ('start_yaw_rad', turned, lim.start_yaw_warn_rad, lim.start_yaw_rad),
        (
            'start_speed_mps',
            np.abs(slope - ego.speed_mps),
            lim.start_speed_warn_mps,
            lim.start_speed_mps,
        ),
    ]


def ride(rollout: Rollout, ego: EgoState, lim: Limits, cap_mps: float) -> list[Column]:
    """Acceleration, lateral acceleration and jerk, curvature, steering and speed of the result."""
    a, dt_s = rollout.acceleration_mps2, rollout.dt_s
    pull = rollout.speed_mps**2 * rollout.curvature_1pm
    jerk = np.abs(np.diff(pull, axis=1)).max(axis=1) / dt_s
    rate = np.abs(np.diff(rollout.steering_rad, axis=1)).max(axis=1) / dt_s
    slowing = ego.speed_mps - lim.stop_deceleration_mps2 * dt_s * np.arange(1, a.shape[1] + 1)
    above = (rollout.speed_mps - np.maximum(cap_mps, slowing)).max(axis=1)
    top = np.abs(pull).max(axis=1)
    return [
        (
            'lateral_acceleration_mps2',
            top,
            lim.lateral_acceleration_warn_mps2,
            lim.lateral_acceleration_mps2,
        ),
        ('lateral_jerk_mps3', jerk, lim.lateral_jerk_warn_mps3, lim.lateral_jerk_mps3),
        ('acceleration_mps2', a.max(axis=1), lim.acceleration_warn_mps2, lim.acceleration_mps2),
        (
            'deceleration_mps2',
            (-a).max(axis=1),
            lim.deceleration_warn_mps2,
            lim.deceleration_mps2,
        ),
        (
            'curvature_1pm',
            np.abs(rollout.curvature_1pm).max(axis=1),
            NO_WARNING,
            lim.curvature_1pm,
        ),
        ('steering_rad', np.abs(rollout.steering_rad).max(axis=1), NO_WARNING, lim.steering_rad),
        ('steering_rate_rps', rate, NO_WARNING, lim.steering_rate_rps),
        ('reversing_mps', (-rollout.speed_mps).max(axis=1), NO_WARNING, 1e-9),
        ('above_speed_cap_mps', above, NO_WARNING, lim.speed_tolerance_mps),
    ]


def _path(
    raw: np.ndarray, rollout: Rollout, ego: EgoState, lim: Limits, dt_s: float
) -> list[Column]:
    """Length against braking and against the speeds; distance from the model's path."""
    speed0 = max(ego.speed_mps, 0.0)
    xy = np.concatenate([np.zeros((len(raw), 1, 2)), rollout.poses[..., :2]], axis=1)
    length = np.hypot(*np.moveaxis(np.diff(xy, axis=1), -1, 0)).sum(axis=1)
    before = np.concatenate([np.full((len(raw), 1), speed0), rollout.speed_mps[:, :-1]], axis=1)
    integral = ((before + rollout.speed_mps) / 2 * dt_s).sum(axis=1)
    horizon = dt_s * raw.shape[1]
    braking = lim.deceleration_mps2
    time = min(horizon, speed0 / braking)
    shortest = speed0 * time - braking * time**2 / 2
    stop = max(round(lim.raw_deviation_horizon_s / dt_s), 1)
    return [
        ('path_short_m', shortest - length, NO_WARNING, 0.01),
        ('path_length_error_m', np.abs(length - integral), NO_WARNING, lim.path_length_error_m),
        (
            'raw_deviation_m',
            _distance_to_path(raw[:, :stop, :2], rollout.poses[:, 2:stop:3, :2]),
            lim.raw_deviation_warn_m,
            lim.raw_deviation_m,
        ),
    ]


def _distance_to_path(raw: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Largest distance of a driven point from the polyline of the raw points, per candidate."""
    origin = np.zeros((len(raw), 1, 2))
    knots = np.concatenate([origin, raw], axis=1)
    start, leg = knots[:, None, :-1], np.diff(knots, axis=1)[:, None]
    square = np.maximum((leg**2).sum(-1), 1e-12)
    share = np.clip(((path[:, :, None] - start) * leg).sum(-1) / square, 0.0, 1.0)
    gap = path[:, :, None] - start - share[..., None] * leg
    return np.asarray(np.sqrt((gap**2).sum(-1).min(axis=2).max(axis=1)))


def _jump(rollout: Rollout, ego: EgoState, previous: Plan | None, lim: Limits) -> list[Column]:
    """Distance from the previous plan at equal time, across and along its heading."""
    lateral, forward = jump(rollout, ego, previous, lim)
    return [
        ('jump_lateral_m', lateral, lim.jump_lateral_warn_m, lim.jump_lateral_m),
        ('jump_forward_m', forward, lim.jump_forward_warn_m, NO_WARNING),
    ]
