"""EgoBuffer: past motion of base_link, interpolated by capture time to where the model wants it.

Planar: position, heading, speed.  Extrapolation past the newest odometry is at most 50 ms and
flagged.  A history that begins before the first odometry is allowed (those entries are not valid),
except after a jump: then it is refused until it is whole again (docs/faults.md, row F24), and
except for models that take no gaps (``history_gaps: none``).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.odometry import OdometryLimits, OdometryWatch
from alpamayo_ros.types import EgoHistory, EgoState
from alpamayo_ros.units import NS

QUARTER_TURN_RAD = math.pi / 2  # no wheel of a car is steered further
USABLE = (Code.ODOM_SPEED, Code.ODOM_SPEED_WARN, Code.ODOM_TURN, Code.ODOM_TURN_WARN)
STEERING_AGE_NS = 200_000_000  # steering older than an odometry gap counts as unknown


@dataclass(frozen=True, slots=True)
class Pose2:
    """Planar pose in odom: metres, radians."""

    x_m: float
    y_m: float
    heading_rad: float


class EgoBuffer:
    """Keeps the odometry of the last ``keep_ns`` in stamp order; answers for any instant in it."""

    def __init__(
        self,
        limits: OdometryLimits | None = None,
        keep_ns: int = 3 * NS,
        derive_acceleration: bool = False,
        steering_limit_rad: float = QUARTER_TURN_RAD,
    ) -> None:
        """``keep_ns`` is at least the model's ego history and the age of a plan together.

        ``derive_acceleration``: take it from the speeds of the last 200 ms, for
        nav_msgs/Odometry, which carries none.  ``steering_limit_rad``: a larger tyre angle is no
        angle in radians (twice the vehicle's largest, where that is known).
        """
        self.limits = limits or OdometryLimits()
        self.keep_ns = keep_ns
        self.watch = OdometryWatch(self.limits)
        self._states: deque[EgoState] = deque()
        self._steering: deque[tuple[int, float]] = deque(maxlen=512)
        self._whole_again = False
        self._derive = derive_acceleration
        self._steering_limit_rad = steering_limit_rad

    def __len__(self) -> int:
        """Number of states held."""
        return len(self._states)

    @property
    def newest(self) -> EgoState | None:
        """The newest state, or None."""
        return self._states[-1] if self._states else None

    def reset(self) -> None:
        """Forget everything, as after a clock jump."""
        self._states.clear()
        self._steering.clear()
        self.watch.reset()
        self._whole_again = False

    def push(self, state: EgoState) -> Fault | None:
        """Take one state.  ODOM_JUMP: all before it is forgotten; other errors: it is refused."""
        fault = self.watch.check(state)
        if fault is not None and fault.code is Code.ODOM_JUMP:
            self._states.clear()
            self._whole_again = True
        elif fault is not None and fault.code not in USABLE:
            return fault
        self._states.append(self._with_acceleration(state) if self._derive else state)
        while state.stamp_ns - self._states[0].stamp_ns > self.keep_ns:
            self._states.popleft()
        return fault

    def push_steering(self, stamp_ns: int, steering_rad: float) -> Fault | None:
        """Take a measured tyre angle (left positive); not finite, too large or late: refused."""
        if not math.isfinite(steering_rad):
            return Fault(Code.ODOM_NAN, 'steering angle is not finite', {'field': 'steering_rad'})
        if abs(steering_rad) > self._steering_limit_rad:
            text = f'{steering_rad:.2f} rad, at most {self._steering_limit_rad:.2f} rad'
            return Fault(Code.STEERING, text, {'steering_rad': steering_rad})
        if self._steering and stamp_ns <= self._steering[-1][0]:
            return Fault(Code.STAMP_LATE, 'steering out of order', {'stamp_ns': float(stamp_ns)})
        self._steering.append((stamp_ns, steering_rad))
        return None

    def gap_fault(self, now_ns: int) -> Fault | None:
        """ODOM_GAP or ODOM_GAP_WARN when nothing usable has come for too long, else None."""
        if not self._states:
            return Fault(Code.ODOM_GAP, 'no odometry yet', {})
        gap_ns = now_ns - self._states[-1].stamp_ns
        if gap_ns <= self.limits.gap_warn_ns:
            return None
        code = Code.ODOM_GAP if gap_ns > self.limits.gap_ns else Code.ODOM_GAP_WARN
        return Fault(
            code, f'newest odometry is {gap_ns / 1e6:.0f} ms old', {'gap_ns': float(gap_ns)}
        )

    def pose_at(self, time_ns: int) -> Pose2 | Fault:
        """Pose in odom at one instant; ODOM_GAP where odometry does not cover it."""
        table = self._table(time_ns)
        if table is None or not _covered(table[:, 0], np.zeros(1), self.limits)[0]:
            return self._uncovered(time_ns)
        row = _sample(table, np.zeros(1))[0]
        return Pose2(float(row[0]), float(row[1]), float(row[2]))

    def state_at(self, t0_ns: int, profile: ModelProfile) -> EgoState | None:
        """The car at t0, interpolated where odometry has no message of exactly that time."""
        newest = self.newest
        if newest is not None and newest.stamp_ns == t0_ns:
            return newest
        pose, past = self.pose_at(t0_ns), self.history(t0_ns, profile)
        if isinstance(pose, Fault) or isinstance(past, Fault):
            return None
        return EgoState(
            t0_ns, pose.x_m, pose.y_m, pose.heading_rad, float(past.speed_mps[0]),
            float(past.yaw_rate_rps[0]), float(past.acceleration_mps2[0]),
            float(past.steering_rad[0]),
        )  # fmt: skip

    def history(self, t0_ns: int, profile: ModelProfile) -> EgoHistory | Fault:
        """Motion at t0 - k * spacing, poses in base_link at t0; else ODOM_GAP or EGO_HISTORY."""
        table = self._table(t0_ns)
        count = profile.ego_history.count
        times = np.arange(count) * -float(round(profile.ego_history.spacing_s * NS))
        if table is None:
            return self._uncovered(t0_ns)
        valid = _covered(table[:, 0], times, self.limits)
        if not valid[0]:
            return self._uncovered(t0_ns)
        whole = self._whole_again or profile.history_gaps == 'none'
        if whole and not valid.all():
            why = 'after a jump' if self._whole_again else 'and the model takes no gaps'
            missing = f'{int((~valid).sum())} of {count} past instants are not covered {why}'
            return Fault(Code.EGO_HISTORY, missing, {'missing': float((~valid).sum())})
        self._whole_again = False
        rows = _sample(table, times)
        rows[~valid] = 0.0
        steering = self._steering_at(t0_ns, times, rows[:, 6])
        poses = _relative(rows[:, :3], rows[0, :3])
        poses[~valid] = 0.0
        steering[~valid] = np.nan
        return EgoHistory(
            t0_ns,
            poses.astype(np.float32),
            rows[:, 3].astype(np.float32),
            rows[:, 5].astype(np.float32),
            rows[:, 4].astype(np.float32),
            steering.astype(np.float32),
            valid,
            max(0, t0_ns - self._states[-1].stamp_ns),
        )

    def _uncovered(self, time_ns: int) -> Fault:
        newest = self._states[-1].stamp_ns if self._states else None
        if newest is None:
            return Fault(Code.ODOM_GAP, 'no odometry yet', {'time_ns': float(time_ns)})
        message = f'odometry does not cover {time_ns} ns; the newest is of {newest} ns'
        return Fault(Code.ODOM_GAP, message, {'ahead_ns': float(time_ns - newest)})

    def _with_acceleration(self, state: EgoState) -> EgoState:
        """``state`` with the slope of the speed since the oldest state of the last 200 ms."""
        window_ns = self.limits.window_ns
        past = next((s for s in self._states if state.stamp_ns - s.stamp_ns <= window_ns), None)
        if past is None:
            return state
        slope = (state.speed_mps - past.speed_mps) * NS / (state.stamp_ns - past.stamp_ns)
        return replace(state, acceleration_mps2=slope)

    def _table(self, origin_ns: int) -> Float[np.ndarray, 'N 8'] | None:
        """Rows: stamp - origin, x, y, unwrapped heading, speed, yaw rate, acceleration, steer."""
        if not self._states:
            return None
        table = np.array(
            [
                (s.stamp_ns - origin_ns, s.x_m, s.y_m, s.heading_rad, s.speed_mps, s.yaw_rate_rps)
                + (s.acceleration_mps2, s.steering_rad)
                for s in self._states
            ],
            dtype=np.float64,
        )
        table[:, 3] = np.unwrap(table[:, 3])
        return table

    def _steering_at(self, t0_ns: int, times: np.ndarray, fallback: np.ndarray) -> np.ndarray:
        """Measured steering where a sample lies within 200 ms, else what the odometry carried."""
        if not self._steering:
            return fallback
        stamps = np.array([s - t0_ns for s, _ in self._steering], dtype=np.float64)
        values = np.array([v for _, v in self._steering])
        near = np.abs(times[:, None] - stamps[None]).min(axis=1) <= STEERING_AGE_NS
        return np.where(near, np.interp(times, stamps, values), fallback)


def _covered(stamps: np.ndarray, times: np.ndarray, limits: OdometryLimits) -> np.ndarray:
    """Whether an instant lies between states at most a gap apart, or 50 ms past the newest."""
    after = np.searchsorted(stamps, times, side='left')
    inside = (after > 0) & (after < len(stamps))
    right = np.clip(after, 0, len(stamps) - 1)
    gap = stamps[right] - stamps[np.clip(after - 1, 0, None)]
    exact = stamps[right] == times
    ahead = (times > stamps[-1]) & (times - stamps[-1] <= limits.extrapolate_ns)
    return np.asarray(exact | (inside & (gap <= limits.gap_ns)) | ahead)


def _sample(table: Float[np.ndarray, 'N 8'], times: Float[np.ndarray, ' T']) -> np.ndarray:
    """Columns 1 to 7 of ``table`` at ``times``; past the end driven on at constant twist."""
    out = np.stack([np.interp(times, table[:, 0], table[:, c]) for c in range(1, 8)], axis=1)
    for i in np.flatnonzero(times > table[-1, 0]):
        _, x, y, heading, speed, yaw_rate, _, _ = table[-1]
        dt_s = (times[i] - table[-1, 0]) / NS
        middle = heading + yaw_rate * dt_s / 2
        distance = speed * dt_s
        out[i, 0] = x + distance * math.cos(middle)
        out[i, 1] = y + distance * math.sin(middle)
        out[i, 2] = heading + yaw_rate * dt_s
    return out


def _relative(poses: Float[np.ndarray, 'T 3'], origin: Float[np.ndarray, '3']) -> np.ndarray:
    """Poses in odom seen from ``origin``; headings in (-pi, pi]."""
    cos, sin = math.cos(origin[2]), math.sin(origin[2])
    dx, dy = poses[:, 0] - origin[0], poses[:, 1] - origin[1]
    turn = poses[:, 2] - origin[2]
    heading = np.arctan2(np.sin(turn), np.cos(turn))
    return np.stack([cos * dx + sin * dy, -sin * dx + cos * dy, heading], axis=1)
