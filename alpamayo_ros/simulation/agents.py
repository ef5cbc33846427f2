"""Scripted traffic on the winding road: a function of (seed, time), never of the ego."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alpamayo_ros.simulation.leader import LeaderScript
from alpamayo_ros.simulation.road import LANE_M, Road

CAR_LENGTH_M, CAR_WIDTH_M = 4.5, 1.8
PAINTS = [
    [0.8, 0.8, 0.82],
    [0.1, 0.1, 0.12],
    [0.6, 0.1, 0.1],
    [0.15, 0.25, 0.5],
    [0.35, 0.37, 0.4],
]
PAINTS += [[0.5, 0.45, 0.3], [0.1, 0.35, 0.2]]
Colour = tuple[float, float, float]
SIGNAL = -1  # stands for the signal of the next junction among ids of agents
ROAD_END_M = 15.0  # agents leave this far before the road's end


@dataclass(frozen=True, slots=True)
class Agent:
    """An oriented box in the world frame: centre, heading, motion along it, and its looks.

    ``kind``: car, pedestrian, or lamp (of a signal; ``z_m`` is its height).
    """

    id: int
    kind: str
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    acceleration_mps2: float
    length_m: float
    width_m: float
    colour: tuple[float, float, float]
    braking: bool
    z_m: float = 0.0


@dataclass(frozen=True, slots=True)
class LaneCar:
    """A car in the ego's lane.

    Arc of its rear bumper [m], lateral offset [m], speed and acceleration.  ``by``: ids of the
    agents that it stands for (``SIGNAL``: of a traffic light); without them it would not be there.
    """

    rear_arc_m: float
    offset_m: float
    speed_mps: float
    acceleration_mps2: float
    by: tuple[int, ...] = ()


def paint(rng: np.random.Generator) -> tuple[float, float, float]:
    """A car colour."""
    r, g, b = np.clip(rng.choice(np.array(PAINTS)) * rng.uniform(0.8, 1.15), 0, 1).tolist()
    return r, g, b


def _car(
    road: Road,
    number: int,
    arc: float,
    offset: float,
    turned: float,
    colour: Colour,
    motion: tuple[float, float, bool],
) -> Agent:
    x, y, heading = road.pose(arc, offset, turned)
    speed, acceleration, braking = motion
    size = (CAR_LENGTH_M, CAR_WIDTH_M)
    return Agent(number, 'car', x, y, heading, speed, acceleration, *size, colour, braking)


class Oncoming:
    """Up to five cars in the other lane: all standing, or all at one speed."""

    def __init__(self, road: Road, seed: int) -> None:
        rng = np.random.default_rng([seed, 3])
        self.road = road
        self.speed = 0.0 if rng.random() < 0.5 else float(rng.uniform(4, 9))
        count, reach = int(rng.integers(0, 6)), 440 + 50 * self.speed
        arcs = np.sort(rng.uniform(20, reach, count))
        clear = np.diff(arcs, prepend=-100.0) > 9.0
        self.cars: list[tuple[float, Colour]] = [
            (float(s), tuple(rng.uniform(0.05, 0.95, 3).tolist()))
            for s, ok in zip(arcs, clear, strict=True)
            if ok
        ]

    def agents(self, time_s: float) -> list[Agent]:
        """The cars that are on the road at ``time_s``."""
        out = []
        for i, (start, colour) in enumerate(self.cars):
            s = start - self.speed * time_s
            if 0 < s < self.road.length_m - ROAD_END_M:
                out.append(
                    _car(self.road, 10 + i, s, LANE_M, np.pi, colour, (self.speed, 0.0, False))
                )
        return out


class StoppedCar:
    """A car that stands in the ego's lane; ``rear_arc_m``: its rear bumper.

    Half of them have brake lights on.
    """

    def __init__(self, road: Road, seed: int, rear_arc_m: float | None = None) -> None:
        rng = np.random.default_rng([seed, 4])
        arc = float(rng.uniform(60, 200))
        self.road, self.rear_arc_m = road, arc if rear_arc_m is None else rear_arc_m
        self.offset_m, self.colour = float(rng.normal(0, 0.12)), paint(rng)
        self.lit = bool(rng.random() < 0.5)

    def agents(self, time_s: float) -> list[Agent]:
        """The car."""
        del time_s
        s = self.rear_arc_m + CAR_LENGTH_M / 2
        return [_car(self.road, 1, s, self.offset_m, 0.0, self.colour, (0.0, 0.0, self.lit))]

    def lane_cars(self, time_s: float) -> list[LaneCar]:
        """The car as an obstacle in the lane."""
        del time_s
        return [LaneCar(self.rear_arc_m, self.offset_m, 0.0, 0.0, (1,))]


class Leader:
    """A car ahead that drives, brakes, sometimes stops, and drives on (``LeaderScript``)."""

    def __init__(self, road: Road, seed: int, rear_arc_m: float, speed_mps: float) -> None:
        rng = np.random.default_rng([seed, 5])
        self.road, self.colour, self.offset_m = road, paint(rng), float(rng.normal(0, 0.1))
        centre = rear_arc_m + CAR_LENGTH_M / 2
        self.script = LeaderScript(road, seed, centre, speed_mps)

    def _present(self, arc: float) -> bool:
        return arc < self.road.length_m - ROAD_END_M

    def agents(self, time_s: float) -> list[Agent]:
        """The leader, until it leaves at the road's end."""
        s, v, a, braking = self.script.at(time_s)
        if not self._present(s):
            return []
        return [_car(self.road, 1, s, self.offset_m, 0.0, self.colour, (v, a, braking))]

    def lane_cars(self, time_s: float) -> list[LaneCar]:
        """The leader as an obstacle in the lane."""
        s, v, a, _ = self.script.at(time_s)
        car = LaneCar(s - CAR_LENGTH_M / 2, self.offset_m, v, a, (1,))
        return [car] if self._present(s) else []
