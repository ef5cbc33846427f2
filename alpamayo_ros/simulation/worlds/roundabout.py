"""The roundabout: a ``Simulation`` that gives way, goes round and leaves by the instructed exit.

To the expert a car on the ring with priority is a standing car behind the give-way line.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.simulation.agents import Agent, LaneCar
from alpamayo_ros.simulation.forks import Fork
from alpamayo_ros.simulation.maps.roundabout_map import RoundaboutMap
from alpamayo_ros.simulation.path_road import intruders
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenery import roundabout_scenery
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.worlds.give_way import GiveWay
from alpamayo_ros.simulation.worlds.roundabout_traffic import RoundaboutTraffic, has_priority
from alpamayo_ros.simulation.worlds.simulation import STEP_S, Simulation

ANNOUNCED_M = 100.0
NEAR_M = 75.0
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
        self.forks = [Fork(self.line_m, self.leave_m)]
        return road

    def _place_traffic(self) -> None:
        self._now: tuple[int, list[Agent]] = (-1, [])
        self._traffic = RoundaboutTraffic(self.way, self.seed, self.scenario.traffic.cars)
        self._traffic.make_room(self.pose.x_m, self.pose.y_m)
        self._entry = GiveWay(self.line_m)
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
        return self.line_m - self._bumper_m(), self._entry.waits

    def _bumper_m(self) -> float:
        return self.arc_m + self.vehicle.rear_axle_to_front_m

    def _obstacles(self) -> list[LaneCar]:
        return self._entry.obstacles()

    def on_the_ring(self) -> tuple[int, ...]:
        """Ids of those who have priority over the ego at its entry now."""
        entry = self.way.entry_angle(0)
        return tuple(a.id for a in self._traffic_agents() if has_priority(a, entry))

    def _watch_the_ring(self) -> None:
        first = self.on_the_ring()
        self._entry.look(self._bumper_m(), self.pose.speed_mps, bool(first), first)
