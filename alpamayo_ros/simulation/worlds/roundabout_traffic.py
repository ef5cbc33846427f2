"""Traffic of the roundabout: cars give way at the entry, follow each other, and see the ego."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.simulation.actors.car_following import Car, follow, some_kind
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.maps.roundabout_map import (
    ARMS,
    RADIUS_M,
    RING_M,
    RoundaboutMap,
)
from alpamayo_ros.simulation.worlds.give_way import LINE_M

WANTED_MPS = (6.0, 9.0)
LOOK_M, NEAR_LINE_M = 26.0, 1.9  # a middle or bumper this near to a car's line is in its way
UPSTREAM_RAD = 1.35  # from here to the entry a car on the ring has priority
PATIENT_RAD = 1.75  # as other drivers see it: also who has just come in at the arm before
PASSED_RAD = 0.35  # it is past the entry, but not clear of it
ON_RING_M = RING_M / 2 + 0.4
CLEAR_M = 16.0
BUSY_M = 14.0  # nobody appears at the end of an arm within this of another car


@dataclass(frozen=True, slots=True)
class Trip:
    """Where a car goes: arm, exit number, and the arc of its give-way line."""

    arm: int
    exit_number: int
    line_m: float


def has_priority(agent: Agent, entry_rad: float, upstream_rad: float = UPSTREAM_RAD) -> bool:
    """Whether somebody on the ring has priority over a car that wants to enter there.

    They are at most ``upstream_rad`` before it.
    """
    away = math.hypot(agent.x_m, agent.y_m)
    if abs(away - RADIUS_M) > ON_RING_M:
        return False
    behind = (entry_rad - math.atan2(agent.y_m, agent.x_m) + PASSED_RAD) % (2 * math.pi)
    return behind < upstream_rad + PASSED_RAD


class RoundaboutTraffic:
    """``cars`` of them on random trips; who leaves comes back somewhere else."""

    def __init__(self, way: RoundaboutMap, seed: int, cars: int) -> None:
        self._rng = np.random.default_rng([seed, 61])
        self.way = way
        self.cars: list[Car] = []
        self.trips: dict[int, Trip] = {}
        for number in range(100, 100 + cars):
            self._appear(number, None)

    def _appear(self, number: int, place_m: float | None) -> None:
        """A car on a random trip, at an arc or anywhere before the roundabout."""
        for _ in range(12):
            arm, exit_number = int(self._rng.integers(ARMS)), int(self._rng.integers(1, ARMS))
            path = self.way.way(arm, exit_number)
            line = self.way.yield_arc(path)
            arc = float(self._rng.uniform(2, line + 60)) if place_m is None else place_m
            kind, colour = some_kind(self._rng)
            kind = 'van' if kind == 'truck' else kind
            wanted = float(self._rng.uniform(*WANTED_MPS))
            speed = min(wanted, path.limit(arc)) * 0.8
            car = Car(number, kind, colour, path, arc, speed, wanted)
            x, y, _ = path.point(arc)
            if all(math.hypot(x - a.x_m, y - a.y_m) > BUSY_M for a in self.agents()):
                self.cars.append(car)
                self.trips[number] = Trip(arm, exit_number, line)
                return

    def make_room(self, x_m: float, y_m: float) -> None:
        """Remove whoever is within 16 m of a place."""
        self.cars = [
            c
            for c in self.cars
            if math.hypot(c.path.point(c.arc_m)[0] - x_m, c.path.point(c.arc_m)[1] - y_m) > CLEAR_M
        ]

    def agents(self) -> list[Agent]:
        """Everybody."""
        return [car.agent() for car in self.cars]

    def step(self, ego: Agent, dt_s: float) -> None:
        """Everybody drives on by ``dt_s``; ``ego`` is one of them to the others."""
        agents = [*self.agents(), ego]
        points = np.array([_points_of(a) for a in agents])
        rates = [self._rate(i, agents, points) for i in range(len(self.cars))]
        for car, rate in zip(self.cars, rates, strict=True):
            car.move(rate, dt_s)
        gone = [c for c in self.cars if c.arc_m > c.path.length_m - 8]
        self.cars = [c for c in self.cars if c not in gone]
        for car in gone:
            self._appear(car.id, 2.0)

    def _rate(self, i: int, agents: list[Agent], points: np.ndarray) -> float:
        car, trip = self.cars[i], self.trips[self.cars[i].id]
        limit = car.path.limit(car.arc_m + 0.5 * car.speed_mps)
        gap, speed = self._leader(i, agents, points)
        rate = follow(car, limit, gap, speed)
        to_line = trip.line_m - LINE_M - car.front_m
        if to_line > -1.0 and self._must_wait(car, trip, agents[:i] + agents[i + 1 :]):
            rate = min(rate, follow(car, limit, max(to_line + 2.0, 0.2), 0.0))
        return rate

    def _must_wait(self, car: Car, trip: Trip, others: list[Agent]) -> bool:
        entry = self.way.entry_angle(trip.arm)
        near = trip.line_m - car.front_m < 25.0
        return near and any(has_priority(a, entry, PATIENT_RAD) for a in others)

    def _leader(self, i: int, agents: list[Agent], points: np.ndarray) -> tuple[float, float]:
        """Gap to whatever is in the car's way, and its speed along it."""
        car = self.cars[i]
        arcs = np.arange(car.front_m + 0.5, car.front_m + LOOK_M, 1.0)
        line, heading, _ = car.path.at(arcs)
        away = np.hypot(
            points[:, :, 0, None] - line[:, 0], points[:, :, 1, None] - line[:, 1]
        )  # agents x points x arcs
        away[i] = math.inf
        hit = (away < NEAR_LINE_M).any(1)
        if not hit.any():
            return math.inf, 0.0
        first = int(hit.any(0).argmax())
        other = agents[int(hit[:, first].argmax())]
        along = max(math.cos(other.heading_rad - float(heading[first])), 0.0)
        return float(arcs[first] - car.front_m), other.speed_mps * along


def _points_of(a: Agent) -> list[tuple[float, float]]:
    """Rear bumper, middle, front bumper."""
    c, s, half = math.cos(a.heading_rad), math.sin(a.heading_rad), a.length_m / 2
    return [(a.x_m + k * half * c, a.y_m + k * half * s) for k in (-1, 0, 1)]
