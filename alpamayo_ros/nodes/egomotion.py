"""Node ``egomotion``: odometry of any rate in, the past motion at each announced t0 out.

A history is given once odometry reaches t0; after ``wait_s`` of wall time it is extrapolated
within the limit, flagged, or refused.  In lockstep it is given when all odometry of the step is
here.  Exactly one EgoHistory answers each accepted FrameSetInfo.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Imu

from alpamayo_ros.faults import Fault
from alpamayo_ros.msg import EgoHistory, FrameSetInfo, StepDone
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.convert import ns, stamp
from alpamayo_ros.nodes.common.node import AlpamayoNode, run
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.nodes.lockstep.step_queue import Announced
from alpamayo_ros.parameters.of_nodes import EGOMOTION
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.derivative import SpeedDerivative
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.imu import ForwardAcceleration
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

# Message types that may report the steering angle, and the field that holds it [rad].
STEERING = (
    ('ackermann_msgs.msg', 'AckermannDriveStamped', 'drive.steering_angle'),
    ('autoware_vehicle_msgs.msg', 'SteeringReport', 'steering_tire_angle'),
)


class EgomotionNode(AlpamayoNode):
    """Answers each t0 from a buffer of odometry."""

    def __init__(self) -> None:
        super().__init__('egomotion', EGOMOTION)
        self.profile = load_profile(self.settings.profile)
        rig = load_rig(self.settings.rig)
        self.source = rig.odometry
        self.buffer = EgoBuffer(steering_limit_rad=2 * rig.vehicle.steer_max_rad)
        self._waiting: dict[int, tuple[float, int]] = {}  # since when [s], of which step
        self._derivative = SpeedDerivative(self.settings.acceleration_window_s)
        self._imu = ForwardAcceleration(self.source.child_frame_id)
        self._present: dict[str, str] = {}
        self._last_ns = -1
        lockstep = self.settings.lockstep
        reliable = self.settings.reliable_inputs
        out = qos.output(lockstep)
        self._histories = qos.watched_publisher(self, EgoHistory, 'ego_history', out)
        if lockstep:
            self.steps = StepInputs(self, self._on_step)
        self._read(Odometry, self.source.topic, self._on_odometry, qos.sensor(False, 50, reliable))
        self._read(Imu, 'imu', self._on_imu, qos.sensor(False))
        qos.watched_subscription(self, FrameSetInfo, 'frame_set_info', self._on_info, out)
        self._subscribe_steering()
        if not lockstep:
            wall = Clock(clock_type=ClockType.STEADY_TIME)
            self._poll = self.create_timer(self.settings.poll_s, self._answer, clock=wall)
            self._poll.cancel()  # until a t0 waits

    def _read(self, kind: type, topic: str, take: Callable[[Any], None], profile: Any) -> None:
        if self.settings.lockstep:
            self.steps.subscribe(kind, topic, take)
        else:
            qos.watched_subscription(self, kind, topic, take, profile)

    def _subscribe_steering(self) -> None:
        for module, kind, field in STEERING:
            try:
                message_type = getattr(import_module(module), kind)
            except ImportError:
                self.get_logger().info(f'steering from {kind} is off: {module} is not installed')
                continue
            take = self._steering_reader(field)
            self._read(message_type, f'steering/{kind.lower()}', take, qos.sensor(False))

    def _steering_reader(self, field: str) -> Any:
        def take(message: Any) -> None:
            value = message
            for name in field.split('.'):
                value = getattr(value, name)
            header = getattr(message, 'header', message)
            fault = self.buffer.push_steering(ns(header.stamp), float(value))
            if fault is not None:
                self.faults.event(fault)

        return take

    # -- inputs ---------------------------------------------------------------------------------
    def _on_imu(self, message: Imu) -> None:
        fault = self._imu.take(message)
        if fault is not None:
            self.faults.event(fault)

    def _on_odometry(self, message: Odometry) -> None:
        now_ns = None if self.settings.lockstep else self.get_clock().now().nanoseconds
        frames = (self.source.frame_id, self.source.child_frame_id)
        ahead_m = self.source.ahead_of_rear_axle_m
        state = convert.ego_state(message, frames, self.limits, now_ns, ahead_m)
        if isinstance(state, EgoState):
            fault = self.buffer.push(self._with_acceleration(state))
        else:
            fault = state
        self._present = {} if fault is None else {fault.code.name: str(fault)}
        self.faults.update(self._present)
        if not self.settings.lockstep:
            self._answer()

    def _on_step(self, step: Announced, done: StepDone) -> None:
        self._answer()

    def _with_acceleration(self, state: EgoState) -> EgoState:
        """Acceleration from the Imu where it is fresh, else from the change of speed."""
        state = self._derivative.complete(state)
        measured = self._imu.at(state.stamp_ns, round(self.settings.imu_age_s * NS))
        return state if measured is None else replace(state, acceleration_mps2=measured)

    def _on_info(self, message: FrameSetInfo) -> None:
        t0_ns = ns(message.header.stamp)
        if t0_ns < self._last_ns - NS:  # the clock jumped back
            self.buffer.reset()
            self._waiting.clear()
            self._derivative.reset()
        self._last_ns = t0_ns
        if message.accepted:
            self._waiting[t0_ns] = time.monotonic(), message.step
            self._answer()

    # -- outputs --------------------------------------------------------------------------------
    def _answer(self) -> None:
        """Answer every waiting t0 that odometry has reached, or that has waited long enough."""
        for t0_ns, (since_s, step) in sorted(self._waiting.items()):
            if self._may_answer(t0_ns, since_s, step):
                del self._waiting[t0_ns]
                self._publish(t0_ns)
        if not self.settings.lockstep and self._poll.is_canceled() == bool(self._waiting):
            (self._poll.reset if self._waiting else self._poll.cancel)()

    def _may_answer(self, t0_ns: int, since_s: float, step: int) -> bool:
        if self.settings.lockstep:
            return step <= self.steps.step
        newest = self.buffer.newest
        reached = newest is not None and newest.stamp_ns >= t0_ns
        return reached or time.monotonic() - since_s >= self.settings.wait_s

    def _publish(self, t0_ns: int) -> None:
        history = self.buffer.history(t0_ns, self.profile)
        anchor = self.buffer.pose_at(t0_ns)
        faults = dict(self._present)
        if isinstance(history, Fault) or isinstance(anchor, Fault):
            for fault in (history, anchor):
                if isinstance(fault, Fault):
                    faults.setdefault(fault.code.name, str(fault))
            message = EgoHistory()
            message.header.stamp, message.header.frame_id = stamp(t0_ns), 'base_link'
        else:
            spacing_s = self.profile.ego_history.spacing_s
            message = convert.ego_history_message(history, anchor, spacing_s)
            message.odom_frame = self.source.frame_id
        message.faults = sorted(faults)
        self.faults.update(faults)
        self._histories.publish(message)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros egomotion``."""
    return run(EgomotionNode)


if __name__ == '__main__':
    sys.exit(main())
