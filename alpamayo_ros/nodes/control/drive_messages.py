"""The command as messages that drive-by-wire systems read.

A Twist has no steering: its yaw rate is that of the commanded speed on the commanded arc, so
``atan(wheelbase * angular.z / linear.x)`` is the steering again.  At zero speed it is not told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

from geometry_msgs.msg import Twist

from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.nodes.control.command import Command
from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.statuses import ConfigError

Encoder = Callable[[Command, int], Any]
# What a saloon does with a pedal down; CARLA's answer differs by vehicle, speed and slope.
FULL_THROTTLE_MPS2 = 3.0
FULL_BRAKE_MPS2 = 8.0


def encoder(kind: str, vehicle: SimVehicle) -> tuple[type, Encoder]:
    """Message type, and how a command at a time [ns] becomes one; ConfigError without the type."""
    if kind == 'twist':
        return Twist, lambda command, _: twist(command, vehicle)
    package = 'carla_msgs' if kind == 'carla' else 'ackermann_msgs'
    try:
        module = import_module(f'{package}.msg')
    except ImportError as error:
        raise ConfigError(
            f'message: {kind} needs {package}, which is not installed; install it (apt '
            f'install ros-$ROS_DISTRO-{package.replace("_", "-")}), or choose twist'
        ) from error
    if kind == 'carla':
        kind_of = module.CarlaEgoVehicleControl
        return kind_of, lambda command, now_ns: _pedals(kind_of(), command, vehicle, now_ns)
    if kind == 'ackermann':
        return module.AckermannDrive, lambda command, _: _drive(module, command, vehicle)
    return module.AckermannDriveStamped, lambda command, now_ns: _stamped(
        module, command, vehicle, now_ns
    )


def twist(command: Command, vehicle: SimVehicle) -> Twist:
    """geometry_msgs/Twist in base_link."""
    message = Twist()
    message.linear.x = float(command.speed_mps)
    bend = math.tan(command.steering_rad) / vehicle.wheelbase_m
    message.angular.z = float(command.speed_mps * bend)
    return message


def _drive(module: Any, command: Command, vehicle: SimVehicle) -> Any:
    """ackermann_msgs/AckermannDrive: tyre angle, left positive; jerk 0 is as fast as it can."""
    message = module.AckermannDrive()
    message.steering_angle = float(command.steering_rad)
    message.steering_angle_velocity = float(vehicle.steering_rate_max_rps)
    message.speed = float(command.speed_mps)
    message.acceleration = float(command.acceleration_mps2)
    message.jerk = 0.0
    return message


def _stamped(module: Any, command: Command, vehicle: SimVehicle, now_ns: int) -> Any:
    message = module.AckermannDriveStamped(drive=_drive(module, command, vehicle))
    message.header.stamp, message.header.frame_id = stamp(now_ns), 'base_link'
    return message


def _pedals(message: Any, command: Command, vehicle: SimVehicle, now_ns: int) -> Any:
    """carla_msgs/CarlaEgoVehicleControl: pedals 0 to 1, steer -1 to 1, right positive.

    The pedals are a feed-forward of the acceleration; the steering is the share of the largest
    tyre angle.
    """
    message.header.stamp, message.header.frame_id = stamp(now_ns), 'base_link'
    pull = command.acceleration_mps2
    message.throttle = min(max(pull / FULL_THROTTLE_MPS2, 0.0), 1.0)
    message.brake = min(max(-pull / FULL_BRAKE_MPS2, 0.0), 1.0)
    share = -command.steering_rad / vehicle.steering_max_rad
    message.steer = min(max(share, -1.0), 1.0)
    message.hand_brake = message.reverse = message.manual_gear_shift = False
    message.gear = 1
    return message
