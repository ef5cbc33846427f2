"""The drive-by-wire of the simulated car: it obeys the newest command for a while."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

from geometry_msgs.msg import Twist

from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.simulation.tracker import ACCELERATION_MPS2, HOLD_MPS2, SPEED_TIME_S
from alpamayo_ros.units import NS

Order: TypeAlias = PlannedTrajectory | Twist | None
KEPT = 20  # references before the newest: more than any latency spans
SLOW_MPS = 0.05  # a Twist below this tells no steering
SILENT_NS = NS // 5  # without a new command for so long the car brakes; ten of 50 Hz


@dataclass(slots=True)
class Orders:
    """What the simulated car is told: the driver's references, or the controller's commands.

    ``latency_ns``: from the stamp of a reference to its effect.  ``count``: commands so far.
    """

    commanded: bool
    lockstep: bool
    latency_ns: int = 0
    count: int = 0
    _command: Twist | None = None
    _at_ns: int = 0
    _references: list[PlannedTrajectory] = field(default_factory=list)

    def command(self, message: Twist, now_ns: int) -> None:
        """A command that came at a simulated time."""
        self.count, self._command, self._at_ns = self.count + 1, message, now_ns

    def refer(self, message: PlannedTrajectory) -> None:
        """A reference."""
        self._references = [*self._references[-KEPT:], message]

    def in_force(self, now_ns: int) -> Order:
        """The newest command, in lockstep that of this step alone; else the newest reference.

        None before the first one, and where the controller is silent.
        """
        if self.commanded:
            longest_ns = 0 if self.lockstep else SILENT_NS
            return self._command if now_ns - self._at_ns <= longest_ns else None
        usable = [r for r in self._references if ns(r.header.stamp) + self.latency_ns <= now_ns]
        return usable[-1] if usable else None


def obeyed(message: Twist, pose: EgoPose, vehicle: SimVehicle) -> tuple[float, float]:
    """Steering and acceleration of a simulated drive-by-wire that is given a Twist."""
    speed, turn = message.linear.x, message.angular.z
    if not (math.isfinite(speed) and math.isfinite(turn)):
        return pose.steering_rad, HOLD_MPS2
    steering = pose.steering_rad
    if speed > SLOW_MPS:
        steering = math.atan(vehicle.wheelbase_m * turn / speed)
    least, most = ACCELERATION_MPS2
    acceleration = min(max((speed - pose.speed_mps) / SPEED_TIME_S, least), most)
    return steering, min(acceleration, HOLD_MPS2) if speed <= 0.0 else acceleration
