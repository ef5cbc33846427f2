"""The simulated rig: where the six cameras sit and how big the car is (the numbers of ``config/rigs/sim.yaml``)."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimCamera:
    """A pinhole camera without distortion, square pixels, principal point in the middle.

    Mount in base_link [m]; ``yaw_deg`` positive to the left; ``pitch_rad`` positive upwards.
    """

    name: str
    x_m: float
    y_m: float
    z_m: float
    yaw_deg: float
    hfov_deg: float
    width: int
    height: int
    pitch_rad: float = -0.08

    @property
    def focal_px(self) -> float:
        """Focal length in pixels, the same for both axes."""
        return self.width / 2 / math.tan(math.radians(self.hfov_deg) / 2)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Dimensions and actuator limits of the simulated ego; reference point is the rear axle's middle."""

    wheelbase_m: float = 2.7
    steering_max_rad: float = 0.55
    steering_rate_max_rps: float = 0.6
    rear_axle_to_front_m: float = 3.6
    length_m: float = 4.5
    width_m: float = 1.8

    @property
    def centre_m(self) -> float:
        """How far the box's centre lies ahead of the rear axle."""
        return self.rear_axle_to_front_m - self.length_m / 2


SIM_CAMERAS: tuple[SimCamera, ...] = (
    SimCamera('front', 1.7, 0.0, 1.5, 0.0, 120.0, 560, 320),
    SimCamera('front_left', 1.6, 0.5, 1.5, 60.0, 70.0, 224, 128),
    SimCamera('front_right', 1.6, -0.5, 1.5, -60.0, 70.0, 224, 128),
    SimCamera('rear_left', 1.0, 0.5, 1.5, 120.0, 70.0, 224, 128),
    SimCamera('rear', 0.0, 0.0, 1.5, 180.0, 120.0, 224, 128),
    SimCamera('rear_right', 1.0, -0.5, 1.5, -120.0, 70.0, 224, 128),
)
SIM_VEHICLE = Vehicle()
