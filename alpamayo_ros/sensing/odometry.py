"""From a raw odometry message to an EgoState, and the checks between one state and the next."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits, in_ns
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import MS, NS

FIELDS = (
    'position.x position.y position.z orientation.x orientation.y orientation.z orientation.w '
    'linear.x linear.y linear.z angular.x angular.y angular.z'
).split()
POSITION_MAX_M = 1e7  # the largest northing of UTM; beyond, float64 still resolves 2 nm
SPEED_MAX_MPS = 100.0  # 360 km/h, beyond what any road allows
YAW_RATE_MAX_RPS = 3.0  # a turn of over 1 g from 3.3 m/s on; below, a radius of at most 1.1 m
FLOAT32_MAX = float(np.finfo(np.float32).max)  # histories and plans travel as float32


@dataclass(frozen=True, slots=True)
class OdometryLimits:
    """Limits of odometry: its gap, its speed and turn rate against the change of its pose.

    ``jump_m``: step that no motion explains; ``window_ns``: base line of the speed check, so long
    that 2 cm of position noise, and 10 mrad of heading noise, stay below the warning.
    """

    gap_warn_ns: int = 50 * MS
    gap_ns: int = 200 * MS
    extrapolate_ns: int = 50 * MS
    speed_warn_mps: float = 1.0
    speed_mps: float = 5.0
    turn_warn_rps: float = 0.1
    turn_rps: float = 0.5
    jump_m: float = 1.0
    window_ns: int = 200 * MS
    quaternion: float = 1e-3


def from_message(
    stamp_ns: int,
    frames: tuple[str, str],
    values: tuple[float, ...],
    expected: tuple[str, str] = ('odom', 'base_link'),
    limits: OdometryLimits | None = None,
    ahead_m: float = 0.0,
) -> EgoState | Fault:
    """EgoState of one nav_msgs/Odometry.

    ``frames``: frame_id and child_frame_id.  ``values``: the 13 numbers in the order of ``FIELDS``
    (pose in frame_id, twist in child_frame_id).  ``ahead_m``: of the point told before the rear
    axle; a rigid body has one forward speed along that line, so only the place moves.
    ODOM_FRAME, ODOM_NAN or STAMP_INVALID otherwise.
    """
    if frames != expected:
        return Fault(
            Code.ODOM_FRAME,
            f'expected {expected[0]!r} -> {expected[1]!r}, got {frames[0]!r} -> {frames[1]!r}',
            {'frame_id': frames[0][:64], 'child_frame_id': frames[1][:64]},
        )
    bad = [n for n, value in zip(FIELDS, values, strict=True) if not abs(value) <= FLOAT32_MAX]
    if bad:
        return Fault(Code.ODOM_NAN, f'not finite: {", ".join(bad)}', {'field': bad[0]})
    if stamp_ns <= 0:
        return Fault(
            Code.STAMP_INVALID, f'odometry stamp {stamp_ns} ns', {'stamp_ns': float(stamp_ns)}
        )
    qx, qy, qz, qw = values[3:7]
    norm = math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
    tolerance = (limits or OdometryLimits()).quaternion
    if not abs(norm - 1.0) <= tolerance:
        message = f'{frames[0]!r} -> {frames[1]!r}: quaternion of length {norm:.4f}, expected 1'
        return Fault(Code.ODOM_FRAME, message, {'norm': norm})
    heading = math.atan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))
    x_m, y_m = values[0] - ahead_m * math.cos(heading), values[1] - ahead_m * math.sin(heading)
    state = EgoState(stamp_ns, x_m, y_m, heading, values[7], values[12])
    return impossible(state) or state


def impossible(state: EgoState) -> Fault | None:
    """ODOM_NAN, with the number, for a state that no car can be in."""
    bounds = (
        ('x_m', state.x_m, POSITION_MAX_M),
        ('y_m', state.y_m, POSITION_MAX_M),
        ('heading_rad', state.heading_rad, FLOAT32_MAX),
        ('speed_mps', state.speed_mps, SPEED_MAX_MPS),
        ('yaw_rate_rps', state.yaw_rate_rps, YAW_RATE_MAX_RPS),
        ('acceleration_mps2', state.acceleration_mps2, FLOAT32_MAX),
    )
    for name, value, limit in bounds:
        if not abs(value) <= limit:
            return Fault(Code.ODOM_NAN, f'{name} is impossible', {name: value, 'limit': limit})
    return None


def ahead(state: EgoState, now_ns: int, limits: Limits) -> Fault | None:
    """STAMP_INVALID for a state of the future: taken, it would make all that follow late."""
    ahead_ns = state.stamp_ns - now_ns
    if ahead_ns <= in_ns(limits.stamp_future_s):
        return None
    values = {'ahead_s': ahead_ns / NS, 'limit_s': limits.stamp_future_s}
    return Fault(Code.STAMP_INVALID, 'odometry is ahead of the clock', values)


class OdometryWatch:
    """Compares each state with the ones before: order, jumps, speed and turn rate against pose."""

    def __init__(self, limits: OdometryLimits | None = None) -> None:
        """Start with no past."""
        self.limits = limits or OdometryLimits()
        self._recent: deque[EgoState] = deque()

    def reset(self) -> None:
        """Forget the past, as after a clock jump."""
        self._recent.clear()

    def check(self, state: EgoState) -> Fault | None:
        """Judge ``state``; a refused one leaves no trace, a jump starts a new past."""
        fault = _order(state, self._recent[-1] if self._recent else None)
        if fault is not None:
            return fault
        fault = self._jump(state)
        if fault is not None:
            self._recent.clear()
        else:
            found = [f for f in (self._speed(state), self._turn(state)) if f is not None]
            fault = max(found, key=lambda f: f.reaction, default=None)
        self._recent.append(state)
        while (
            len(self._recent) > 2
            and state.stamp_ns - self._recent[1].stamp_ns > self.limits.window_ns
        ):
            self._recent.popleft()
        return fault

    def _jump(self, state: EgoState) -> Fault | None:
        """ODOM_JUMP when a step is longer than the speeds at both ends allow, by over a metre."""
        if not self._recent:
            return None
        before = self._recent[-1]
        dt_s = (state.stamp_ns - before.stamp_ns) / NS
        step_m = math.hypot(state.x_m - before.x_m, state.y_m - before.y_m)
        reach_m = max(abs(state.speed_mps), abs(before.speed_mps)) * dt_s
        limit_m = self.limits.jump_m + self.limits.speed_mps * dt_s
        if step_m - reach_m <= limit_m:
            return None
        message = f'{step_m:.2f} m in {dt_s * 1e3:.0f} ms at {state.speed_mps:.1f} m/s'
        return Fault(Code.ODOM_JUMP, message, {'step_m': step_m, 'limit_m': reach_m + limit_m})

    def _speed(self, state: EgoState) -> Fault | None:
        """ODOM_SPEED or its warning, over at least the window."""
        if not self._recent or state.stamp_ns - self._recent[0].stamp_ns < self.limits.window_ns:
            return None
        past = [*self._recent, state]
        dt_s = (state.stamp_ns - past[0].stamp_ns) / NS
        driven_m = sum(_step_m(a, b) for a, b in zip(past, past[1:], strict=False))
        claimed_m = sum(
            (a.speed_mps + b.speed_mps) / 2 * (b.stamp_ns - a.stamp_ns) / NS
            for a, b in zip(past, past[1:], strict=False)
        )
        error_mps = abs(driven_m - claimed_m) / dt_s
        if error_mps <= self.limits.speed_warn_mps:
            return None
        code = Code.ODOM_SPEED if error_mps > self.limits.speed_mps else Code.ODOM_SPEED_WARN
        message = f'{driven_m / dt_s:.2f} m/s by position, {claimed_m / dt_s:.2f} m/s by speed'
        return Fault(code, message, {'error_mps': error_mps, 'limit_mps': self.limits.speed_mps})

    def _turn(self, state: EgoState) -> Fault | None:
        """ODOM_TURN or its warning, over at least the window."""
        if not self._recent or state.stamp_ns - self._recent[0].stamp_ns < self.limits.window_ns:
            return None
        past = [*self._recent, state]
        dt_s = (state.stamp_ns - past[0].stamp_ns) / NS
        pairs = list(zip(past, past[1:], strict=False))
        turned = sum(math.remainder(b.heading_rad - a.heading_rad, math.tau) for a, b in pairs)
        claimed = sum(
            (a.yaw_rate_rps + b.yaw_rate_rps) / 2 * (b.stamp_ns - a.stamp_ns) / NS
            for a, b in pairs
        )
        error_rps = abs(turned - claimed) / dt_s
        if error_rps <= self.limits.turn_warn_rps:
            return None
        code = Code.ODOM_TURN if error_rps > self.limits.turn_rps else Code.ODOM_TURN_WARN
        message = f'{turned / dt_s:.2f} rad/s by heading, {claimed / dt_s:.2f} rad/s by turn rate'
        return Fault(code, message, {'error_rps': error_rps, 'limit_rps': self.limits.turn_rps})


def _step_m(before: EgoState, after: EgoState) -> float:
    """The way between two states, negative backwards."""
    dx_m, dy_m = after.x_m - before.x_m, after.y_m - before.y_m
    ahead_m = dx_m * math.cos(before.heading_rad) + dy_m * math.sin(before.heading_rad)
    return math.copysign(math.hypot(dx_m, dy_m), ahead_m)


def _order(state: EgoState, before: EgoState | None) -> Fault | None:
    """What is impossible in a state, or a stamp fault for one that is not newer."""
    fault = impossible(state)
    if fault is not None:
        return fault
    if state.stamp_ns <= 0:
        return Fault(Code.STAMP_INVALID, f'stamp {state.stamp_ns} ns', {})
    if before is None or state.stamp_ns > before.stamp_ns:
        return None
    code = Code.STAMP_DUP if state.stamp_ns == before.stamp_ns else Code.STAMP_LATE
    step_ns = state.stamp_ns - before.stamp_ns
    return Fault(
        code, f'odometry {step_ns / 1e6:.1f} ms after the newest', {'step_ns': float(step_ns)}
    )
