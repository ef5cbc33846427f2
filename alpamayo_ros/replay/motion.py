"""The car in a replay: what was known of its motion at t0, and, for scoring, what it did after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.plan import to_base
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.intake import ns
from alpamayo_ros.sensing import odometry
from alpamayo_ros.sensing.derivative import SpeedDerivative
from alpamayo_ros.sensing.egomotion import QUARTER_TURN_RAD, EgoBuffer
from alpamayo_ros.sensing.imu import ForwardAcceleration
from alpamayo_ros.sensing.rig import OdometrySource
from alpamayo_ros.types import EgoHistory, EgoState
from alpamayo_ros.units import NS

WINDOW_S = 0.1  # as acceleration_window_s of the egomotion node
IMU_AGE_NS = 50_000_000  # as its imu_age_s
TRUTH_GAP_NS = 250_000_000  # truth is not interpolated over more: 0.25 s at 4 m/s2 bends by 3 cm


def ego_state(message: Any, source: OdometrySource) -> EgoState | Fault:
    """nav_msgs/Odometry as an EgoState, or what is not fit."""
    p, q = message.pose.pose.position, message.pose.pose.orientation
    v, w = message.twist.twist.linear, message.twist.twist.angular
    values = (p.x, p.y, p.z, q.x, q.y, q.z, q.w, v.x, v.y, v.z, w.x, w.y, w.z)
    frames = (message.header.frame_id, message.child_frame_id)
    expected = (source.frame_id, source.child_frame_id)
    at_ns, ahead_m = ns(message.header.stamp), source.ahead_of_rear_axle_m
    return odometry.from_message(at_ns, frames, values, expected, ahead_m=ahead_m)


@dataclass(slots=True)
class Ego:
    """The buffers of the egomotion and of the trajectory node, side by side as they are live."""

    profile: ModelProfile
    source: OdometrySource
    steering_limit_rad: float = QUARTER_TURN_RAD
    fault: Fault | None = None
    driven: list[tuple[EgoState, bool]] = field(default_factory=list)
    speed_mps: float = 0.0
    _past: EgoBuffer = field(init=False)
    _scene: EgoBuffer = field(default_factory=EgoBuffer)
    _slope: SpeedDerivative = field(default_factory=lambda: SpeedDerivative(WINDOW_S))
    _scene_slope: SpeedDerivative = field(default_factory=lambda: SpeedDerivative(WINDOW_S))
    _imu: ForwardAcceleration = field(init=False)

    def __post_init__(self) -> None:
        """Know the frame whose x axis is forward."""
        self._past = EgoBuffer(steering_limit_rad=self.steering_limit_rad)
        self._imu = ForwardAcceleration(self.source.child_frame_id)

    def odometry(self, message: Any) -> EgoState | None:
        """Take a message; the state when it was fit.  ``fault`` is about the newest message."""
        self.speed_mps = float(message.twist.twist.linear.x)
        state = ego_state(message, self.source)
        if isinstance(state, Fault):
            self.fault = state
            return None
        newest = self._past.newest
        if newest is not None and state.stamp_ns < newest.stamp_ns - NS:
            self.jump_back()
        whole = self._slope.complete(state)
        measured = self._imu.at(state.stamp_ns, IMU_AGE_NS)
        if measured is not None:
            whole = replace(whole, acceleration_mps2=measured)
        self.fault = self._past.push(whole)
        self._scene.push(self._scene_slope.complete(state))
        jumped = self.fault is not None and self.fault.code is Code.ODOM_JUMP
        refused = self._scene.newest is None or self._scene.newest.stamp_ns != state.stamp_ns
        if refused:
            return None
        self.driven.append((state, jumped))
        return state

    def take_driven(self) -> list[tuple[EgoState, bool]]:
        """The states since the last call, each with whether odometry jumped there."""
        out, self.driven = self.driven, []
        return out

    def jump_back(self) -> None:
        """Forget the past, as after a clock that jumped back."""
        for buffer in (self._past, self._scene):
            buffer.reset()
        self._slope.reset()

    def imu(self, message: Any) -> Fault | None:
        """Forward acceleration, or why it is not used."""
        return self._imu.take(message)

    def steering(self, message: Any) -> Fault | None:
        """Tyre angle of an Ackermann or Autoware report, or why it is not used."""
        stamp = message.header.stamp if hasattr(message, 'header') else message.stamp
        angle = message.drive.steering_angle if hasattr(message, 'drive') else None
        value = message.steering_tire_angle if angle is None else angle
        return self._past.push_steering(ns(stamp), float(value))

    def history(self, t0_ns: int) -> EgoHistory | Fault:
        """What the model gets."""
        return self._past.history(t0_ns, self.profile)

    def at(self, t0_ns: int) -> EgoState | None:
        """What ``decide`` gets as the car at t0."""
        return self._scene.state_at(t0_ns, self.profile)

    @property
    def newest(self) -> EgoState | None:
        """The newest state."""
        return self._scene.newest


@dataclass(slots=True)
class Track:
    """All odometry of the recording so far: the path that was driven, the truth of open loop."""

    _rows: list[tuple[int, float, float, float, float, float, int]] = field(default_factory=list)
    _part: int = 0

    def add(self, state: EgoState, jumped: bool) -> None:
        """The next state; ``jumped``: nothing connects it with those before."""
        back = bool(self._rows) and state.stamp_ns <= self._rows[-1][0]
        self._part += jumped or back
        if back:
            return
        motion = (state.heading_rad, state.speed_mps, state.yaw_rate_rps)
        self._rows.append((state.stamp_ns, state.x_m, state.y_m, *motion, self._part))

    @property
    def newest_ns(self) -> int:
        """Stamp of the newest state; -1 for none."""
        return self._rows[-1][0] if self._rows else -1

    def forget_before(self, time_ns: int) -> None:
        """Drop what no cycle needs any more."""
        keep = next((i for i, row in enumerate(self._rows) if row[0] >= time_ns), 0)
        if keep > 1:
            del self._rows[: keep - 1]

    def after(
        self, anchor: EgoState, points: int, dt_s: float
    ) -> tuple[Float[np.ndarray, 'P 5'], Bool[np.ndarray, ' P']]:
        """x, y, heading in base_link at ``anchor``, speed and yaw rate at t0 + (i + 1) * dt.

        False where the recording does not cover the instant, or odometry jumped in between.
        """
        out, valid = np.zeros((points, 5)), np.zeros(points, bool)
        rows = np.array(
            [(row[0] - anchor.stamp_ns, *row[1:]) for row in self._rows], dtype=np.float64
        ).reshape(-1, 7)
        if not len(rows):
            return out, valid
        rows[:, 3] = np.unwrap(rows[:, 3])
        wanted = np.arange(1, points + 1) * round(dt_s * NS)
        right = np.clip(np.searchsorted(rows[:, 0], wanted), 0, len(rows) - 1)
        left = np.clip(right - 1, 0, None)
        exact = rows[right, 0] == wanted
        inside = (rows[left, 0] < wanted) & (rows[right, 0] > wanted)
        near = rows[right, 0] - rows[left, 0] <= TRUTH_GAP_NS
        start = int(np.searchsorted(rows[:, 0], 0.0, side='right')) - 1
        begun = start >= 0 and rows[start, 0] > -TRUTH_GAP_NS
        whole = (rows[right, 6] == rows[start, 6]) if begun else np.zeros(points, bool)
        valid = np.asarray((exact | (inside & near)) & whole)
        columns = [np.interp(wanted, rows[:, 0], rows[:, c]) for c in range(1, 6)]
        out = np.stack(columns, axis=1)
        out[:, :3] = to_base(out[:, :3], anchor)
        return out, valid
