"""What the steering can do and the ride may: angle, rate, lateral acceleration and jerk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.bicycle import integrate_path
from alpamayo_ros.sensing.rig import Vehicle

INSIDE = (
    0.98  # the roll-out keeps this share of a limit, so that rounding never rejects its result
)


@dataclass(frozen=True, slots=True)
class SteeringBound:
    """The bound on curvature, from the present steering and speed on."""

    vehicle: Vehicle
    limits: Limits
    steering0: float
    speed0: float
    dt_s: float

    def apply(
        self,
        fitted: Float[np.ndarray, 'K P'],
        speed: Float[np.ndarray, 'K P'],
        step: Float[np.ndarray, 'K P'],
    ) -> Float[np.ndarray, 'K P']:
        """The fitted curvature where it keeps every limit, else one that returns to its path."""
        if self._keeps(fitted, speed):
            return fitted
        goal = integrate_path(fitted, step)
        out = np.empty_like(fitted)
        last = np.full(len(fitted), np.nan if np.isnan(self.steering0) else self.start)
        before, pose = np.full(len(fitted), self.speed0), np.zeros((len(fitted), 3))
        off_path = np.zeros(len(fitted), bool)
        for i in range(fitted.shape[1]):
            want = fitted[:, i]
            if off_path.any():
                want = want + np.where(off_path, _steer_back(goal[:, i], pose, step[:, i]), 0.0)
            allowed = self._bounded(want, last, before, speed[:, i])
            off_path |= np.abs(allowed - fitted[:, i]) > 1e-9
            turn = allowed * step[:, i]
            middle = pose[:, 2] + turn / 2
            pose[:, 0] += step[:, i] * np.cos(middle)
            pose[:, 1] += step[:, i] * np.sin(middle)
            pose[:, 2] += turn
            out[:, i], last, before = allowed, allowed, speed[:, i]
        return out

    def _keeps(self, fitted: Float[np.ndarray, 'K P'], speed: Float[np.ndarray, 'K P']) -> bool:
        """Whether nothing needs bounding: the common case, and five times cheaper."""
        k = len(fitted)
        first = fitted[:, :1] if np.isnan(self.steering0) else np.full((k, 1), self.start)
        last = np.concatenate([first, fitted[:, :-1]], axis=1)
        before = np.concatenate([np.full((k, 1), self.speed0), speed[:, :-1]], axis=1)
        return bool((np.abs(self._bounded(fitted, last, before, speed) - fitted) <= 1e-9).all())

    @property
    def start(self) -> float:
        """Curvature of the present steering, within what the vehicle can do."""
        most = min(self.vehicle.steer_max_rad, self.limits.steering_rad)
        return float(np.tan(np.clip(self.steering0, -most, most)) / self.vehicle.wheelbase_m)

    def _bounded(
        self, want: np.ndarray, last: np.ndarray, before: np.ndarray, speed: np.ndarray
    ) -> np.ndarray:
        """``want`` within angle, rate, lateral jerk, lateral acceleration; the last named wins."""
        wheelbase, lim = self.vehicle.wheelbase_m, self.limits
        angle = min(self.vehicle.steer_max_rad, lim.steering_rad)
        top = min(np.tan(angle) / wheelbase, lim.curvature_1pm) * INSIDE
        rate = min(self.vehicle.steer_rate_max_rps, lim.steering_rate_rps) * INSIDE * self.dt_s
        jerk = lim.lateral_jerk_mps3 * INSIDE * self.dt_s
        square = np.maximum(speed**2, 1e-3)
        have = np.where(np.isnan(last), want, last)
        angle_now = np.arctan(wheelbase * have)
        low = np.tan(angle_now - rate) / wheelbase
        high = np.tan(angle_now + rate) / wheelbase
        pull = before**2 * have
        low = np.maximum(low, (pull - jerk) / square)
        high = np.minimum(high, (pull + jerk) / square)
        bounded = np.minimum(np.maximum(want, np.minimum(low, high)), np.maximum(low, high))
        most = np.minimum(top, lim.lateral_acceleration_mps2 * INSIDE / square)
        return np.asarray(np.minimum(np.maximum(bounded, -most), most))


def _steer_back(goal: np.ndarray, pose: np.ndarray, step: np.ndarray) -> Float[np.ndarray, ' K']:
    """Curvature that brings ``pose`` back to ``goal``.

    Critically damped over the way of 12 steps (1.2 s), at least 4 m: faster would run into the
    bound on lateral jerk and swing.
    """
    dx, dy = goal[:, 0] - pose[:, 0], goal[:, 1] - pose[:, 1]
    across = dy * np.cos(pose[:, 2]) - dx * np.sin(pose[:, 2])
    reach = np.maximum(12.0 * step, 4.0)
    turn = goal[:, 2] - pose[:, 2]
    return np.asarray(across / reach**2 + 2 * turn / reach)
