"""The town: a ``Simulation`` whose road is a route through signalised streets with SUMO's traffic.

The simple expert drives here too: red signals, pedestrians in the way and oncoming cars before a
left turn are standing cars to it.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.simulation.agents import SIGNAL, Agent, LaneCar
from alpamayo_ros.simulation.forks import Fork
from alpamayo_ros.simulation.maps.town_map import town_map
from alpamayo_ros.simulation.maps.town_route import Junction, TownRoute
from alpamayo_ros.simulation.path_road import lane_cars, projected
from alpamayo_ros.simulation.road import BEHIND_M, Road
from alpamayo_ros.simulation.road_rules import BEYOND_LINE_M, OVER_LINE_M
from alpamayo_ros.simulation.scenery import town_scenery
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.town_names import MAP_NAMES
from alpamayo_ros.simulation.worlds.accounting import EXPERT_GAP_M
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.simulation.worlds.town_traffic import TownTraffic

PERSON_BESIDE_M = 2.0
AMBER_MPS2 = 2.0  # a yellow signal is obeyed where this deceleration suffices
LINE_M = 1.0  # the bumper stands this far before the stop line
ANNOUNCED_M = 100.0
YIELD_M, YIELD_ASIDE_M = 45.0, 9.0
YIELD_FROM_M, YIELD_S, YIELD_BEND_M = 25.0, 5.5, 4.0
TURNS = {'s': Maneuver.STRAIGHT, 'l': Maneuver.LEFT, 'r': Maneuver.RIGHT}
EXTRA_EDGES = 4
TRIES = 2000
FIRST_M = 38.0  # a junction that the scenario asks for is at least so far from the start
OPPOSING = (3, 7)  # cars that come towards a first left turn, at severity 0 and 1
ARRIVES_MPS = 8.0  # how fast the first stop line is approached, for the change of its signal
CHANGES_S = (5.0, 3.0)  # so long before the ego arrives, at severity 0 and 1
COLOURS = {'r': 'red', 'u': 'red', 'y': 'yellow', 'g': 'green', 'G': 'green'}


class Town(Simulation):
    """One drive through a town that the seed chooses; see ``Simulation``."""

    map = 'town'
    told_through = False  # a turn is told up to its stop line; True: until it has been made

    def _build_road(self) -> Road:
        rng = np.random.default_rng([self.seed, 20])
        name = self.scenario.traffic.town or str(rng.choice(MAP_NAMES))
        self.town = town_map(name)
        need, edges = self.scenario.start.arc_m + self.scenario.goal_m + BEHIND_M, 3
        for _ in range(TRIES):
            self._edges = self.town.random_edges(rng, edges + EXTRA_EDGES)
            route = self.town.route(self._edges, self.seed)
            long = len(route.junctions) > EXTRA_EDGES and route.length_m > need + 2 * BEHIND_M
            if long and self._as_wanted(route):
                self.forks = [Fork(j.stop_arc_m, j.exit_arc_m) for j in route.junctions]
                return route
            edges += int(not long)
        raise ValueError(f'{name} has no route with {self.scenario.road}: ask for less')

    def _as_wanted(self, route: TownRoute) -> bool:
        """Whether the first junctions are what the scenario asks for."""
        wanted, found = self.scenario.road, ''.join(j.turn for j in route.junctions)
        if not found.startswith(wanted.turns):
            return False
        if wanted.turns.startswith('l') and not self.town.opposing(self._edges[0]):
            return False
        near = route.junctions[0].stop_arc_m - self.scenario.start.arc_m < FIRST_M
        if near and (wanted.turns or wanted.signal):
            return False
        return not wanted.signal or route.junctions[0].tls != ''

    def _place_traffic(self) -> None:
        traffic = self.scenario.traffic
        self._cars: list[LaneCar] = []
        self._now: tuple[int, list[Agent]] = (-1, [])
        self._traffic = TownTraffic(self.town, self.seed, traffic.cars, traffic.pedestrians)
        shape = self.scenario.road
        self._staged = bool(shape.turns or shape.signal)
        self._traffic.place_ego(self.pose, self.vehicle, self._edges)
        self._set_the_scene()
        self._advance_traffic()
        self._passed = 0

    def _set_the_scene(self) -> None:
        """Cars that come towards a first left turn, and the first signal's colour.

        Nobody else stands before that signal.
        """
        shape, severity = self.scenario.road, self.scenario.severity
        if shape.turns.startswith('l'):
            count = OPPOSING[0] + round((OPPOSING[1] - OPPOSING[0]) * severity)
            self._traffic.add_opposing(self.town.opposing(self._edges[0]), count)
        if shape.signal not in ('', 'any'):
            first = self.route.junctions[0]
            self._traffic.clear(self._edges[0])
            bumper_m = self.arc_m + self.vehicle.rear_axle_to_front_m
            arrives_s = (first.stop_arc_m - bumper_m) / ARRIVES_MPS
            left_s = max(arrives_s - CHANGES_S[0] - (CHANGES_S[1] - CHANGES_S[0]) * severity, 1.0)
            self._traffic.set_signal(first.tls, first.link, shape.signal, left_s)

    def _build_scenery(self) -> Scenery:
        at = self.scenario.looks
        return town_scenery.scenery(self.town, self.seed, at.fog_1pm, at.light != 'day')

    def _advance_traffic(self) -> None:
        self._traffic.step(self.pose, self.vehicle)

    def close(self) -> None:
        """End SUMO and release the mesh."""
        self._traffic.close()
        super().close()

    @property
    def route(self) -> TownRoute:
        """The road, as the route that it is."""
        assert isinstance(self.road, TownRoute)
        return self.road

    @property
    def navigation(self) -> str:
        """The next turn, announced within 100 m, in canonical words; see ``told_through``."""
        junction = self.route.next_junction(self.arc_m, self.told_through)
        distance = math.inf if junction is None else junction.stop_arc_m - self.arc_m
        if junction is None or distance > ANNOUNCED_M:
            return super().navigation
        return canonical(NavInstruction(TURNS[junction.turn], max(distance, 0.0)))[0]

    def _traffic_agents(self) -> list[Agent]:
        """Cars and pedestrians within 160 m, now."""
        if self._now[0] != self.now_ns:
            self._now = (self.now_ns, self._traffic.agents(self.pose))
        return self._now[1]

    def _drawn(self) -> list[Agent]:
        return [*self.agents(), *town_scenery.lamps(self.town.signals, self._traffic.state)]

    def _note_red(self, before_arc_m: float) -> None:
        """Count stop lines that the bumper crosses at red."""
        reach = self.vehicle.rear_axle_to_front_m
        for j in self.route.junctions:
            crossed = before_arc_m + reach < j.stop_arc_m <= self.arc_m + reach
            if crossed and j.tls and self._traffic.state(j.tls, j.link) in 'ru':
                self.outcome.red_lights += 1

    def light_ahead(self, range_m: float) -> str:
        """What the light of the next junction of the route shows; see ``Simulation``.

        A line just behind the bumper is still its line, to the expert and to the words alike.
        """
        bumper_m = self.arc_m + self.vehicle.rear_axle_to_front_m
        junction = self.route.next_junction(bumper_m - OVER_LINE_M)
        if junction is None or junction.stop_arc_m - bumper_m > range_m:
            return ''
        return self.shown_at(junction)

    def shown_at(self, junction: Junction) -> str:
        """Red, yellow or green: what the light of a junction shows now; '' without one."""
        return COLOURS[self._traffic.state(junction.tls, junction.link)] if junction.tls else ''

    def line_ahead(self) -> tuple[float, bool]:
        """The next junction's stop line; see ``Simulation``."""
        bumper_m = self.arc_m + self.vehicle.rear_axle_to_front_m
        junction = self.route.next_junction(bumper_m - OVER_LINE_M)
        if junction is None:
            return math.inf, False
        must = self._must_stop(junction) or bool(self._first_over(junction))
        return junction.stop_arc_m - bumper_m, must

    def _red_line_m(self) -> float | None:
        bumper_m = self.arc_m + self.vehicle.rear_axle_to_front_m
        for j in self.route.junctions:
            if j.tls and 0 < bumper_m - j.stop_arc_m < BEYOND_LINE_M:
                return j.stop_arc_m if self._traffic.state(j.tls, j.link) in 'ru' else None
        return None

    # ---- what stands in the way ---------------------------------------------------------------
    def _traffic_cars(self) -> list[LaneCar]:
        cars = [a for a in self._traffic_agents() if a.kind == 'car']
        return lane_cars(self.road, self.arc_m, cars)

    def _obstacles(self) -> list[LaneCar]:
        people = [a for a in self._traffic_agents() if a.kind == 'pedestrian']
        near = projected(self.road, self.arc_m, people, PERSON_BESIDE_M)
        out = [LaneCar(arc, 0.0, 0.0, 0.0, (a.id,)) for a, arc, _, _ in near]
        bumper_m = self.arc_m + self.vehicle.rear_axle_to_front_m
        junction = self.route.next_junction(bumper_m - OVER_LINE_M)
        if junction is None:
            return out
        signal = (SIGNAL,) if self._must_stop(junction) else ()
        for by in (signal, self._first_over(junction)):
            if by:
                rear = junction.stop_arc_m - LINE_M + EXPERT_GAP_M
                out.append(LaneCar(rear, 0.0, 0.0, 0.0, by))
        return out

    def _must_stop(self, junction: Junction) -> bool:
        if not junction.tls:
            return False
        state = self._traffic.state(junction.tls, junction.link)
        if state in 'gG':
            return False
        left = junction.stop_arc_m - self.arc_m - self.vehicle.rear_axle_to_front_m
        return state in 'ru' or self.pose.speed_mps**2 / 2 / AMBER_MPS2 < max(left, 0.0)

    def _first_over(self, junction: Junction) -> tuple[int, ...]:
        """Before a left turn: ids of those who come towards us and are near."""
        if junction.turn != 'l':
            return ()
        found = []
        x, y, heading = self.road.point(junction.stop_arc_m)
        c, s = math.cos(heading), math.sin(heading)
        for a in self.agents():
            ahead = c * (a.x_m - x) + s * (a.y_m - y)
            aside = -s * (a.x_m - x) + c * (a.y_m - y)
            towards = math.cos(a.heading_rad - heading) < -0.7 and a.speed_mps > 0.5
            near = 0 < ahead < YIELD_M and 0 < aside < YIELD_ASIDE_M
            if self._staged:  # time to turn from a standstill, across a junction that bends
                reach = max(YIELD_FROM_M + YIELD_S * a.speed_mps, YIELD_M)
                near = 0 < ahead < reach and -YIELD_BEND_M < aside < YIELD_ASIDE_M
            if a.kind == 'car' and towards and near:
                found.append(a.id)
        return tuple(found)
