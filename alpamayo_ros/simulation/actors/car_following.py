"""Cars that drive by themselves on the built-in maps: the intelligent driver model.

Source: Treiber, Hennecke, Helbing, "Congested traffic states in empirical observations and
microscopic simulations", Phys. Rev. E 62 (2000), equations 1 to 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from alpamayo_ros.simulation.actors.actor import SIZES
from alpamayo_ros.simulation.agents import Agent, Colour, paint
from alpamayo_ros.simulation.road import Road

PULL_MPS2, COMFORT_MPS2, HARDEST_MPS2 = 1.4, 2.0, -6.0
HEADWAY_S, STANDSTILL_M = 1.1, 2.5
BRAKE_LIGHT_MPS2 = -0.4
TRUCKS, VANS = 0.12, 0.25  # shares: up to 0.12 lorries, from there to 0.25 vans


@dataclass(slots=True)
class Car:
    """A vehicle on a path: arc of its middle [m], speed, and what its driver wants.

    ``courteous``: lets others merge.
    """

    id: int
    kind: str
    colour: Colour
    path: Road
    arc_m: float
    speed_mps: float
    wanted_mps: float
    courteous: bool = True
    acceleration_mps2: float = field(default=0.0)

    @property
    def length_m(self) -> float:
        """Bumper to bumper."""
        return SIZES[self.kind][0]

    @property
    def front_m(self) -> float:
        """Arc of the front bumper."""
        return self.arc_m + self.length_m / 2

    @property
    def rear_m(self) -> float:
        """Arc of the rear bumper."""
        return self.arc_m - self.length_m / 2

    def move(self, acceleration_mps2: float, dt_s: float) -> None:
        """Drive ``dt_s``, never backwards."""
        after = max(0.0, self.speed_mps + acceleration_mps2 * dt_s)
        self.acceleration_mps2 = (after - self.speed_mps) / dt_s
        self.arc_m += (self.speed_mps + after) / 2 * dt_s
        self.speed_mps = after

    def agent(self) -> Agent:
        """As the world sees it."""
        x, y, heading = self.path.pose(self.arc_m)
        braking = self.acceleration_mps2 < BRAKE_LIGHT_MPS2 or self.speed_mps < 0.05
        motion = (self.speed_mps, self.acceleration_mps2)
        size = SIZES[self.kind]
        return Agent(self.id, self.kind, x, y, heading, *motion, *size, self.colour, braking)


def some_kind(rng: np.random.Generator) -> tuple[str, Colour]:
    """Car, van or lorry, and its colour."""
    draw = rng.random()
    return 'truck' if draw < TRUCKS else 'van' if draw < VANS else 'car', paint(rng)


def follow(car: Car, limit_mps: float, gap_m: float, leader_mps: float) -> float:
    """Acceleration behind a leader ``gap_m`` ahead (bumper to bumper, inf: none)."""
    v, wanted = car.speed_mps, max(min(car.wanted_mps, limit_mps), 0.5)
    free = (
        1 - (v / wanted) ** 4 if v <= wanted else -COMFORT_MPS2 / PULL_MPS2 * (v / wanted - 1) * 4
    )
    held = 0.0
    if gap_m < math.inf:
        closing = v * (v - leader_mps) / (2 * math.sqrt(PULL_MPS2 * COMFORT_MPS2))
        keep = STANDSTILL_M + max(0.0, v * HEADWAY_S + closing)
        held = (keep / max(gap_m, 0.1)) ** 2
    return max(PULL_MPS2 * (free - held), HARDEST_MPS2)
