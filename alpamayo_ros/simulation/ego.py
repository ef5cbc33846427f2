"""The ego: a kinematic bicycle with a steering-rate limit, integrated in small steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from alpamayo_ros.simulation.sim_rig import SimVehicle


@dataclass(frozen=True, slots=True)
class EgoPose:
    """Rear axle's middle in the world frame, speed, steering and acceleration.

    Steering is that of the road wheel; the acceleration is the one just realised.
    """

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    steering_rad: float = 0.0
    acceleration_mps2: float = 0.0


def advance(
    ego: EgoPose,
    steering_rad: float,
    acceleration_mps2: float,
    vehicle: SimVehicle,
    dt_s: float = 0.1,
    substeps: int = 5,
) -> EgoPose:
    """Drive ``dt_s`` with commanded steering and acceleration held; the car never rolls backwards.

    Midpoint rule: heading' = v tan(steering) / wheelbase, steering approaches its command at a
    limited rate.
    """
    h = dt_s / substeps
    x, y, heading, v, steering = ego.x_m, ego.y_m, ego.heading_rad, ego.speed_mps, ego.steering_rad
    most, top = vehicle.steering_rate_max_rps * h, vehicle.steering_max_rad
    for _ in range(substeps):
        steering += min(max(steering_rad - steering, -most), most)
        steering = min(max(steering, -top), top)
        v_next = max(0.0, v + acceleration_mps2 * h)
        mean = (v + v_next) / 2
        turn = mean * math.tan(steering) / vehicle.wheelbase_m * h
        x += mean * h * math.cos(heading + turn / 2)
        y += mean * h * math.sin(heading + turn / 2)
        heading, v = heading + turn, v_next
    return EgoPose(x, y, heading, v, steering, (v - ego.speed_mps) / dt_s)
