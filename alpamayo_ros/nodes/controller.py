"""Node ``controller``: follows ``reference`` and commands a drive-by-wire.

It brakes for a reference that has expired, says so, or is unfit, and where it does not know where
the car is; it says nothing before the driver is armed and while a person drives
(``control.engagement``).
"""

from __future__ import annotations

import sys
from functools import partial

from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from std_msgs.msg import Bool

from alpamayo_ros.faults import Fault
from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.guards import Guards
from alpamayo_ros.nodes.common.node import AlpamayoNode, run
from alpamayo_ros.nodes.control.command import Command, Commander
from alpamayo_ros.nodes.control.drive_messages import encoder
from alpamayo_ros.nodes.control.engagement import Engagement
from alpamayo_ros.nodes.control.in_step import InStep
from alpamayo_ros.parameters.of_nodes import CONTROLLER
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.sim_rig import vehicle_of
from alpamayo_ros.types import EgoState

LOOK_S = 1.0  # between two looks at who writes what
TOPIC = 'drive_command'


class ControllerNode(AlpamayoNode):
    """Keeps the newest reference, odometry and Health; each tick makes one command of them."""

    def __init__(self) -> None:
        super().__init__('controller', CONTROLLER)
        s, rig = self.settings, load_rig(self.settings.rig)
        vehicle, self._source = vehicle_of(rig), rig.odometry
        self.commander = Commander(vehicle, self.limits, rig.odometry.frame_id)
        self.engagement = Engagement()
        self.reference: PlannedTrajectory | None = None
        self.ego: EgoState | None = None
        self.sent = 0
        self._braking = False
        kind, self._encode = encoder(s.message, vehicle)
        self._out = qos.watched_publisher(self, kind, TOPIC, qos.output(s.lockstep))
        guarded = [self.resolve_topic_name(t) for t in ('reference', 'health', TOPIC)]
        self._endpoints = Guards(self, guarded)
        source = self.resolve_topic_name(self._source.topic)
        self.steps = InStep(self, source, self.tick) if s.lockstep else None
        self._subscribe()
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        if self.steps is None:
            self.create_timer(1.0 / s.rate_hz, self._on_timer, clock=wall)
            self.create_timer(LOOK_S, self._endpoints.glance, clock=wall)

    def _subscribe(self) -> None:
        s, subscribe = self.settings, qos.watched_subscription
        out = qos.output(s.lockstep)
        subscribe(self, PlannedTrajectory, 'reference', self._on_reference, out)
        subscribe(self, Health, 'health', self._on_health, out)
        subscribe(self, Bool, 'takeover', self._on_takeover, qos.output(False))
        sensor = qos.sensor(s.lockstep, 1, s.reliable_inputs)
        subscribe(self, Odometry, self._source.topic, self._on_odometry, sensor)

    # -- inputs ---------------------------------------------------------------------------------
    def _on_reference(self, message: PlannedTrajectory) -> None:
        take = partial(setattr, self, 'reference', message)
        if self.steps is None:
            take()
        else:
            self.steps.on_reference(message, take)

    def _on_health(self, message: Health) -> None:
        take = partial(self.engagement.on_health, bool(message.armed), tuple(message.faults))
        if self.steps is None:
            take()
        else:
            self.steps.on_health(message, take)

    def _on_takeover(self, message: Bool) -> None:
        self.engagement.on_takeover(bool(message.data))

    def _on_odometry(self, message: Odometry) -> None:
        now_ns = None if self.settings.lockstep else self.get_clock().now().nanoseconds
        frames = (self._source.frame_id, self._source.child_frame_id)
        ahead_m = self._source.ahead_of_rear_axle_m
        state = convert.ego_state(message, frames, self.limits, now_ns, ahead_m)
        if isinstance(state, Fault):
            self.faults.event(state)
        else:
            self.ego = state
            self.engagement.on_speed(state.speed_mps)
        if self.steps is not None:
            self.steps.on_odometry(convert.ns(message.header.stamp))

    # -- commands -------------------------------------------------------------------------------
    def _on_timer(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        if now_ns:  # else simulated time has not begun
            self.tick(now_ns)

    def tick(self, now_ns: int) -> int:
        """Send the command of ``now_ns``, where one is due; how many were sent until now."""
        command = self._command(now_ns)
        if self.engagement.engaged:
            self._out.publish(self._encode(command, now_ns))
            self.sent += 1
        self._tell(command.because if self.engagement.engaged else '')
        return self.sent

    def _tell(self, why: str) -> None:
        """One line when it begins to brake and one when it follows again; '' is following."""
        if bool(why) == self._braking:
            return
        self._braking = bool(why)
        if why:
            self.get_logger().warning(f'brakes: {why}', throttle_duration_sec=1.0)
        else:
            self.get_logger().info('brakes no more', throttle_duration_sec=1.0)

    def _command(self, now_ns: int) -> Command:
        faults = self._endpoints.faults
        because = self.engagement.braking or (str(faults[0]) if faults else '')
        if because:
            return self.commander.brake(self.ego, now_ns, because)
        return self.commander.at(self.reference, self.ego, now_ns)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros controller``."""
    return run(ControllerNode)


if __name__ == '__main__':
    sys.exit(main())
