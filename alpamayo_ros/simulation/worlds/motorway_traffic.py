"""Traffic of the motorway: cars that follow each other and the ego, and let it merge or not.

Speeds are those of a congested urban motorway, 7 to 11 m/s, because nano was trained up to
10 m/s; nothing here is tuned to real motorways at 30 m/s.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.simulation.actors.car_following import Car, follow, some_kind
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.maps.motorway_map import MotorwayMap
from alpamayo_ros.simulation.road import LANE_M
from alpamayo_ros.simulation.sim_rig import SimVehicle

RIGHT_MPS, FASTER_MPS = (
    (7.0, 9.0),
    1.2,
)  # wanted speed in the right lane; more per lane to the left
CLEAR_M = (22.0, 16.0)  # nobody nearer ahead of and behind the ego at the start
IN_LANE_M = 2.05  # half the ego, half a car and 25 cm
BESIDE_M = (2.05, 5.0)  # the ego is in the lane to the right and may want to come in
GIVING_MPS2 = 1.5  # what a courteous driver brakes for somebody who merges
RUDE = 0.8  # share of drivers that let nobody in, at severity 1


def room_needed(behind_mps: float, merging_mps: float) -> float:
    """Gap behind a merging car from which the car behind can still adapt with 1.5 m/s2 [m]."""
    closing = max(behind_mps - merging_mps, 0.0)
    return 2.0 + closing + closing**2 / (2 * GIVING_MPS2)


class MotorwayTraffic:
    """Cars on every lane, the other carriageway's too; a function of (map, seed, ego)."""

    def __init__(self, way: MotorwayMap, seed: int, cars: int, severity: float) -> None:
        self._rng = np.random.default_rng([seed, 51])
        self.lanes = [way.lane(k) for k in (*range(way.lanes), *range(-1, -1 - way.lanes, -1))]
        self.cars: list[list[Car]] = []
        number, spacing = 100, self.lanes[0].length_m * way.lanes / max(cars, 1)
        for k, lane in enumerate(self.lanes):
            faster, row = FASTER_MPS * (k % way.lanes), []
            arc = lane.length_m - float(self._rng.uniform(5, spacing))
            while arc > 0 and cars:
                kind, colour = some_kind(self._rng)
                wanted = float(self._rng.uniform(*RIGHT_MPS)) + faster
                nice = bool(self._rng.random() >= RUDE * severity)
                row.append(Car(number, kind, colour, lane, arc, wanted - 0.5, wanted, nice))
                number, arc = number + 1, arc - float(self._rng.uniform(0.6, 1.4)) * spacing - 6
            self.cars.append(row)
        self._own = way.lanes
        self._hints: list[float] = []

    def make_room(self, ego: EgoPose) -> None:
        """Remove whoever is too near to the ego in its lane, and slow down who follows it."""
        self._hints = [lane.arc_of(ego.x_m, ego.y_m) for lane in self.lanes[: self._own]]
        for k, row in enumerate(self.cars[: self._own]):
            arc, offset, _ = self.lanes[k].locate(ego.x_m, ego.y_m, self._hints[k])
            if abs(offset) < LANE_M / 2:
                kept = [c for c in row if not -CLEAR_M[1] < c.arc_m - arc < CLEAR_M[0]]
                self.cars[k] = kept
                for car in kept:
                    if -60 < car.arc_m - arc < 0:
                        car.speed_mps = min(car.speed_mps, ego.speed_mps + 1)

    def ego_on(self, k: int, ego: EgoPose) -> tuple[float, float]:
        """Arc of the ego's rear axle on lane ``k`` and its offset there, left positive."""
        arc, offset, _ = self.lanes[k].locate(ego.x_m, ego.y_m, self._hints[k])
        self._hints[k] = arc
        return arc, offset

    def step(self, ego: EgoPose, vehicle: SimVehicle, dt_s: float) -> None:
        """Everybody drives on by ``dt_s``."""
        for k, row in enumerate(self.cars):
            place = self.ego_on(k, ego) if k < self._own else (0.0, math.inf)
            rates = [self._rate(row, i, k, place, ego, vehicle) for i in range(len(row))]
            for car, rate in zip(row, rates, strict=True):
                car.move(rate, dt_s)
            self._recycle(row)

    def agents(self, ego: EgoPose, near_m: float) -> list[Agent]:
        """Everybody within ``near_m`` of the ego."""
        out = [car.agent() for row in self.cars for car in row]
        return [a for a in out if math.hypot(a.x_m - ego.x_m, a.y_m - ego.y_m) < near_m]

    def _rate(
        self, row: list[Car], i: int, k: int, place: tuple[float, float], ego: EgoPose,
        vehicle: SimVehicle,
    ) -> float:  # fmt: skip
        """Acceleration of the car ``i`` of a lane (they are ordered from the front)."""
        car, gap, speed = row[i], math.inf, 0.0
        if i:
            gap, speed = row[i - 1].rear_m - car.front_m, row[i - 1].speed_mps
        limit = car.path.limit(car.arc_m)
        rate = follow(car, limit, gap, speed)
        arc, offset = place
        rear = arc + vehicle.rear_axle_to_front_m - vehicle.length_m
        room = rear - car.front_m
        if room < -vehicle.length_m:
            return rate
        if abs(offset) < IN_LANE_M:
            return min(rate, follow(car, limit, room, ego.speed_mps))
        beside = k == 0 and BESIDE_M[0] <= -offset < BESIDE_M[1]
        if beside and car.courteous and room > room_needed(car.speed_mps, ego.speed_mps):
            return min(rate, max(follow(car, limit, room, ego.speed_mps), -GIVING_MPS2))
        return rate

    def _recycle(self, row: list[Car]) -> None:
        """Who leaves at the end comes back at the beginning once there is room."""
        while row and row[0].arc_m > row[0].path.length_m - 6 and row[-1].arc_m > 30:
            car = row.pop(0)
            car.arc_m, car.speed_mps = 0.0, min(car.wanted_mps, row[-1].speed_mps if row else 9.0)
            row.append(car)
