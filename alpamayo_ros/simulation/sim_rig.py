"""The simulated rig as renderer and bicycle want it, read from ``config/rigs/sim.yaml``."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from alpamayo_ros.sensing.rig import Rig, load_rig


@dataclass(frozen=True, slots=True)
class SimCamera:
    """A pinhole camera without distortion, square pixels, principal point in the middle.

    Mount in base_link [m]; ``yaw_rad`` positive to the left; ``pitch_rad`` positive downwards
    (as in the rig). ``fine_px``: width and height of the centre that is drawn with
    ``FINE_SAMPLES`` samples a pixel, because the narrow view of the model takes it at about one
    to one.
    """

    name: str
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    pitch_rad: float
    hfov_rad: float
    width: int
    height: int
    fine_px: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class SimVehicle:
    """Dimensions and actuator limits of the simulated ego, from its rear axle's middle."""

    wheelbase_m: float
    steering_max_rad: float
    steering_rate_max_rps: float
    rear_axle_to_front_m: float
    length_m: float
    width_m: float

    @property
    def centre_m(self) -> float:
        """How far the box's centre lies ahead of the rear axle."""
        return self.rear_axle_to_front_m - self.length_m / 2


FINE_PX = {'front': (128, 74)}  # the central 40 degrees of 120 are 118 of 560 pixels


@functools.lru_cache(maxsize=1)
def sim_rig() -> Rig:
    """The rig file of the simulated car."""
    return load_rig('sim')


@functools.lru_cache(maxsize=1)
def sim_cameras() -> tuple[SimCamera, ...]:
    """The cameras in the order of the rig."""
    out = []
    for c in sim_rig().cameras:
        m, hfov = c.mount, 2 * math.atan(c.width / 2 / float(c.matrix[0, 0]))
        pose = (m.x_m, m.y_m, m.z_m, m.yaw_rad, m.pitch_rad)
        out.append(SimCamera(c.name, *pose, hfov, c.width, c.height, FINE_PX.get(c.name, (0, 0))))
    return tuple(out)


@functools.lru_cache(maxsize=1)
def sim_vehicle() -> SimVehicle:
    """The ego's dimensions and limits."""
    return vehicle_of(sim_rig())


def vehicle_of(rig: Rig) -> SimVehicle:
    """The vehicle of a rig as the bicycle and the tracker want it."""
    v = rig.vehicle
    return SimVehicle(
        wheelbase_m=v.wheelbase_m,
        steering_max_rad=v.steer_max_rad,
        steering_rate_max_rps=v.steer_rate_max_rps,
        rear_axle_to_front_m=v.rear_axle_to_front_bumper_m,
        length_m=v.length_m,
        width_m=v.width_m,
    )
