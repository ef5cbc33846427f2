"""The roundabout: a ``Simulation`` that gives way, goes round and leaves by the instructed exit.

To the expert a car on the ring with priority is a standing car behind the give-way line.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.simulation.agents import Agent, LaneCar
from alpamayo_ros.simulation.maps.roundabout_map import RoundaboutMap
from alpamayo_ros.simulation.path_road import intruders
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenery import roundabout_scenery
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.worlds.expert import GAP_M
from alpamayo_ros.simulation.worlds.roundabout_traffic import (
    LINE_M,
    RoundaboutTraffic,
    has_priority,
)
from alpamayo_ros.simulation.worlds.simulation import STEP_S, Simulation

ANNOUNCED_M = 100.0
NEAR_M = 75.0
LOOK_M = 30.0  # the ring is watched from so far before the line
HARD_MPS2, SLOW_MPS = 3.5, 3.0
WHITE = (1.0, 1.0, 1.0)


class Roundabout(Simulation):
    """One drive through a roundabout; see ``Simulation``."""

    map = 'roundabout'

    def _build_road(self) -> Road:
        self.way = RoundaboutMap(self.seed)
        seeded = int(np.random.default_rng([self.seed, 62]).integers(1, 4))
        self.exit_number = self.scenario.road.exit or seeded
        road = self.way.way(0, self.exit_number)
        self.line_m = self.way.yield_arc(road)
        away = np.hypot(road.position[:, 0], road.position[:, 1])
        inside = np.nonzero(away < away.min() + 1.5)[0]
        self.leave_m = road.arc_of(*(float(v) for v in road.position[inside[-1]]))
        return road

    def _place_traffic(self) -> None:
        self._now: tuple[int, list[Agent]] = (-1, [])
        self._traffic = RoundaboutTraffic(self.way, self.seed, self.scenario.traffic.cars)
        self._traffic.make_room(self.pose.x_m, self.pose.y_m)
        self._waits = False
        self._first: tuple[int, ...] = ()
        self._watch_the_ring()

    def _build_scenery(self) -> Scenery:
        return roundabout_scenery.scenery(self.way, self.seed, self.scenario.looks.fog_1pm)

    def _advance_traffic(self) -> None:
        self._traffic.step(self._myself(), STEP_S)
        self._watch_the_ring()

    def _myself(self) -> Agent:
        """The ego as others see it."""
        b, p = self.ego_box(), self.pose
        motion, size = (p.speed_mps, p.acceleration_mps2), (b.length_m, b.width_m)
        return Agent(0, 'car', b.x_m, b.y_m, b.heading_rad, *motion, *size, WHITE, False)

    @property
    def navigation(self) -> str:
        """Which exit to take, and how far the next thing to do is, in canonical words."""
        entered = self.arc_m + self.vehicle.rear_axle_to_front_m > self.line_m
        left = (self.leave_m if entered else self.line_m) - self.arc_m
        if left > ANNOUNCED_M or self.arc_m > self.leave_m:
            return super().navigation
        return canonical(NavInstruction(Maneuver.EXIT, max(left, 0.0), '', self.exit_number))[0]

    def _traffic_agents(self) -> list[Agent]:
        if self._now[0] != self.now_ns:
            self._now = (self.now_ns, self._traffic.agents())
        return self._now[1]

    def _traffic_cars(self) -> list[LaneCar]:
        near = [a for a in self._traffic_agents() if self._is_near(a)]
        return intruders(self.road, self.arc_m, near)

    def _is_near(self, a: Agent) -> bool:
        return math.hypot(a.x_m - self.pose.x_m, a.y_m - self.pose.y_m) < NEAR_M

    def line_ahead(self) -> tuple[float, bool]:
        """The line before the ring; see ``Simulation``."""
        return self.line_m - self.arc_m - self.vehicle.rear_axle_to_front_m, self._waits

    def _obstacles(self) -> list[LaneCar]:
        """A standing car at the line while it has to give way."""
        if not self._waits:
            return []
        return [LaneCar(self.line_m - LINE_M + GAP_M, 0.0, 0.0, 0.0, self._first)]

    def _watch_the_ring(self) -> None:
        """Decide whether to give way.

        As soon as somebody has priority, unless it is too late to stop; having braked for
        somebody, the ego looks again once it is slow.
        """
        left = self.line_m - self.arc_m - self.vehicle.rear_axle_to_front_m
        speed, entry = self.pose.speed_mps, self.way.entry_angle(0)
        near = -1.0 < left < LOOK_M
        first = tuple(a.id for a in self._traffic_agents() if has_priority(a, entry))
        if near and first:
            self._first = first
            too_late = speed**2 / 2 / HARD_MPS2 > max(left, 0.0) + 0.5
            self._waits = self._waits or not too_late
        elif not near or speed < SLOW_MPS:
            self._waits = False
