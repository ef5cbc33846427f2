"""What an actor is: a function of road, seed, severity, time and the times that set it off.

An actor lives in the coordinates of the ego's lane.  ``notice`` is called once a step with the
ego's state and may only write down when something begins; ``placed`` then depends on time alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from alpamayo_ros.simulation.agents import Agent, Colour
from alpamayo_ros.simulation.road import Road

SIZES = {  # length along the heading, width [m]; as the meshes are
    'car': (4.5, 1.8),
    'van': (5.5, 2.0),
    'truck': (9.0, 2.5),
    'emergency_car': (4.5, 1.8),
    'pedestrian': (0.5, 0.5),
    'cyclist': (1.8, 0.6),
    'debris_box': (0.8, 0.8),
    'debris_tyre': (1.0, 1.0),
    'cone': (0.4, 0.4),
    'barrier': (0.4, 2.0),
}
STATIC = frozenset({'debris_box', 'debris_tyre', 'cone', 'barrier'})
ROADWAY_USERS = frozenset({'car', 'van', 'truck', 'emergency_car'})
PAINTLESS: dict[str, Colour] = {
    'debris_box': (0.55, 0.4, 0.25),
    'debris_tyre': (0.06, 0.06, 0.06),
    'cone': (0.95, 0.4, 0.1),
    'barrier': (0.9, 0.2, 0.15),
    'emergency_car': (0.95, 0.95, 0.95),
}
BRAKE_LIGHT_MPS2 = -0.3


@dataclass(frozen=True, slots=True)
class EgoNow:
    """The ego at one instant: arc of its front bumper, metres driven since the start, speed."""

    time_s: float
    front_arc_m: float
    driven_m: float
    speed_mps: float

    def reaches_in_s(self, arc_m: float) -> float:
        """Time to ``arc_m`` at the present speed, at 2 m/s when it is slower; inf behind it."""
        away = arc_m - self.front_arc_m
        return away / max(self.speed_mps, 2.0) if away > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Placed:
    """An agent in lane coordinates: arc and offset of its middle, heading against the lane's.

    ``detour_m``: the shift of the ego's way by which a good driver passes it, 0: none.
    ``final``: it will not move any more.
    """

    id: int
    kind: str
    arc_m: float
    offset_m: float
    turned_rad: float
    speed_mps: float
    acceleration_mps2: float
    colour: Colour
    braking: bool = False
    detour_m: float = 0.0
    final: bool = False

    @property
    def half_m(self) -> tuple[float, float]:
        """Half its extent along and across the lane."""
        length, width = SIZES[self.kind]
        c, s = abs(math.cos(self.turned_rad)), abs(math.sin(self.turned_rad))
        return (c * length + s * width) / 2, (s * length + c * width) / 2

    @property
    def along_mps(self) -> float:
        """Speed along the lane."""
        return self.speed_mps * math.cos(self.turned_rad)

    @property
    def across_mps(self) -> float:
        """Speed to the left."""
        return self.speed_mps * math.sin(self.turned_rad)

    def agent(self, road: Road) -> Agent:
        """The same in the world frame."""
        x, y, heading = road.pose(self.arc_m, self.offset_m, self.turned_rad)
        size = SIZES[self.kind]
        return Agent(
            self.id, self.kind, x, y, heading, self.speed_mps, self.acceleration_mps2, *size,
            PAINTLESS.get(self.kind, self.colour), self.braking,
        )  # fmt: skip


class Actor(Protocol):
    """One scripted agent, or several that belong together."""

    def notice(self, ego: EgoNow) -> None:
        """See the ego; write down what begins now."""
        ...

    def placed(self, time_s: float) -> list[Placed]:
        """Where everybody is at ``time_s``."""
        ...
