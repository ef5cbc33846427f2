"""The motorway: a ``Simulation`` on a congested urban motorway, with a way in or a way out.

The expert merges by yielding to cars that it could not merge before, as if they were ahead of it.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.simulation.agents import Agent, LaneCar
from alpamayo_ros.simulation.forks import Fork
from alpamayo_ros.simulation.maps.motorway_map import LEAVE_S, MERGE_S, MotorwayMap, MotorwayWay
from alpamayo_ros.simulation.path_road import lane_cars
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenery import motorway_scenery
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.worlds.expert import GAP_M
from alpamayo_ros.simulation.worlds.motorway_traffic import IN_LANE_M, MotorwayTraffic, room_needed
from alpamayo_ros.simulation.worlds.simulation import STEP_S, Simulation

NEAR_M = 200.0
ANNOUNCED_M = 200.0
DECIDE_M = 60.0  # so far before the change of lane the expert looks for its gap
APART_S = 0.0  # here the ramp of an exit begins to lead away from the motorway
EASY_GAP_M, LEAST_GAP_M = 12.0, 4.0  # what it makes of a car beside it, far from and at the change


class Motorway(Simulation):
    """One drive on a motorway; see ``Simulation``."""

    map = 'motorway'
    wrong_way_from_m = math.inf

    def _build_road(self) -> Road:
        shape = self.scenario.road
        self.way = MotorwayMap(self.seed, shape.lanes, shape.ramp)
        road = MotorwayWay(self.way, self.seed)
        span = MERGE_S if shape.ramp == 'merge' else LEAVE_S
        begin_m, end_m, apart_m = (self._arc(road, float(s)) for s in (*span, APART_S))
        self.change_m = (begin_m, end_m)
        self.forks = [Fork(begin_m, apart_m)] if shape.ramp == 'exit' else []
        return road

    def _arc(self, road: MotorwayWay, s: float) -> float:
        """Arc of the ego's way at ``s`` of the motorway."""
        ((x, y),) = self.way.at(np.array([s]), self.way.way_n(s))
        return road.arc_of(float(x), float(y))

    def _place_traffic(self) -> None:
        cars, severity = self.scenario.traffic.cars, self.scenario.severity
        self._now: tuple[int, list[Agent]] = (-1, [])
        self._traffic = MotorwayTraffic(self.way, self.seed, cars, severity)
        self._traffic.make_room(self.pose)

    def _build_scenery(self) -> Scenery:
        return motorway_scenery.scenery(self.way, self.seed, self.scenario.looks.fog_1pm)

    def _advance_traffic(self) -> None:
        self._traffic.step(self.pose, self.vehicle, STEP_S)

    @property
    def navigation(self) -> str:
        """Where to merge or to leave, within 200 m, in canonical words."""
        left, ramp = self.change_m[0] - self.arc_m, self.scenario.road.ramp
        over = self.arc_m > self.change_m[1]
        if not ramp or over or left > ANNOUNCED_M:
            return super().navigation
        word = Maneuver.MERGE_LEFT if ramp == 'merge' else Maneuver.EXIT
        return canonical(NavInstruction(word, max(left, 0.0)))[0]

    def _traffic_agents(self) -> list[Agent]:
        """Cars of both carriageways within 200 m, now."""
        if self._now[0] != self.now_ns:
            self._now = (self.now_ns, self._traffic.agents(self.pose, NEAR_M))
        return self._now[1]

    def _traffic_cars(self) -> list[LaneCar]:
        return lane_cars(self.road, self.arc_m, self._traffic_agents())

    def _obstacles(self) -> list[LaneCar]:
        """Cars of the right-hand lane that are before the ego, or too near behind it."""
        front = self.arc_m + self.vehicle.rear_axle_to_front_m
        begin, end = self.change_m
        if self.scenario.road.ramp != 'merge' or not begin - DECIDE_M < front < end + 10:
            return []
        arc, offset = self._traffic.ego_on(0, self.pose)
        if abs(offset) < IN_LANE_M:
            return []
        nose, left = arc + self.vehicle.rear_axle_to_front_m, begin - front
        least = LEAST_GAP_M + (EASY_GAP_M - LEAST_GAP_M) * min(max(left, 0.0) / 40, 1.0)
        out = []
        for car in self._traffic.cars[0]:
            behind = nose - self.vehicle.length_m - car.front_m
            if behind > room_needed(car.speed_mps, self.pose.speed_mps):
                continue
            gap = car.rear_m - nose
            shown = max(gap, least) if left > 0 else gap
            out.append(
                LaneCar(front + shown, 0.0, car.speed_mps, car.acceleration_mps2, (car.id,))
            )
            if gap < LEAST_GAP_M and left > 0:
                out.append(LaneCar(begin + GAP_M, 0.0, 0.0, 0.0, (car.id,)))
        return out
