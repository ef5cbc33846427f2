"""The traffic of the town: SUMO inside this process, one simulation at a time.

Cars wander over random routes and never arrive; pedestrians walk from street to street.  The ego
is put where the bicycle model says after every step, and everybody else reacts to it.
"""

from __future__ import annotations

import colorsys
import math
from typing import Any

import numpy as np

from alpamayo_ros.simulation.agents import Agent, Colour, paint
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.maps.town_map import TownMap
from alpamayo_ros.simulation.sim_rig import SimVehicle

WARM_UP_STEPS = 300  # 30 s, until the queues at the signals have formed
ROUTE_EDGES = 40  # more than a drive lasts
EGO = 'ego'
OPPOSING = 'opposing'
BEHIND_M = 40.0  # nobody is nearer behind it in its street when it appears
CLEAR_M = 12.0  # nobody is nearer to the ego when it appears
BRAKE_SIGNAL = 8
PERSON_M = 0.5
STEP_S = 0.1
NEAR_M = 160.0


class TownTraffic:
    """``car_count`` cars and ``person_count`` pedestrians, a function of (map, seed, ego)."""

    def __init__(self, town: TownMap, seed: int, car_count: int, person_count: int) -> None:
        import libsumo

        self._sumo: Any = libsumo
        if libsumo.isLoaded():
            raise RuntimeError('SUMO runs once a process: close the other town first')
        self.town, self._rng = town, np.random.default_rng([seed, 21])
        self._colours: dict[str, Colour] = {}
        self._numbers: dict[str, int] = {}
        words = ['sumo', '-n', str(town.path), '--seed', str(seed % 2**31)]
        words += ['--step-length', str(STEP_S), '--time-to-teleport', '-1', '--no-warnings']
        words += ['--collision.action', 'warn', '--collision.check-junctions', '--no-step-log']
        libsumo.start(words)
        for k in range(car_count):
            self._add_car(f'car{k}')
        for k in range(person_count):
            self._add_person(f'person{k}')
        self._wanted = self._persons = person_count
        for _ in range(WARM_UP_STEPS):
            libsumo.simulationStep()

    def close(self) -> None:
        """End SUMO."""
        self._sumo.close()

    def _add_car(self, name: str) -> None:
        route = self.town.random_edges(self._rng, ROUTE_EDGES)
        self._sumo.route.add(name, route)
        place = {'departPos': 'random_free', 'departLane': 'best', 'departSpeed': '0'}
        self._sumo.vehicle.add(name, name, **place)
        self._sumo.vehicle.setMaxSpeed(name, float(self._rng.uniform(7, 10)))

    def _add_person(self, name: str) -> None:
        start, end = self._rng.choice(self.town.edges, 2, replace=False)
        stages = self._sumo.simulation.findIntermodalRoute(str(start), str(end), modes='')
        if not stages:
            return
        departs_m = min(float(self._rng.uniform(0, 40)), self._sumo.lane.getLength(f'{start}_0'))
        self._sumo.person.add(name, str(start), departs_m)
        for stage in stages:
            self._sumo.person.appendStage(name, stage)

    def add_opposing(self, edges: list[str], count: int) -> None:
        """``count`` cars on the way along ``edges``, all over the streets before the last one."""
        for k in range(count):
            first = (len(edges) - 2) - k % (len(edges) - 1)
            name, back_m = f'{OPPOSING}{k}', 12.0 + 13.0 * (k // (len(edges) - 1))
            self._sumo.route.add(name, edges[first:])
            length = self._sumo.lane.getLength(self._lane(edges[first]))
            place = {'departLane': 'best', 'departPos': str(max(length - back_m, 6.0))}
            self._sumo.vehicle.add(name, name, departSpeed='0', **place)
            self._sumo.vehicle.setMaxSpeed(name, 9.0)
        self._sumo.simulationStep()

    def _lane(self, edge: str) -> str:
        """The lane for cars of a street."""
        count = self._sumo.edge.getLaneNumber(edge)
        return f'{edge}_{count - 1}'

    def set_signal(self, tls: str, link: int, shows: str, left_s: float) -> None:
        """Make a link's signal begin its red or green; ``turns_red``: green for ``left_s``."""
        lights = self._sumo.trafficlight
        program = lights.getAllProgramLogics(tls)[0]
        states = [p.state[link] for p in program.phases]
        wanted, count = 'r' if shows == 'red' else 'gG', len(states)
        beside = 1 if shows == 'turns_red' else -1
        edge = [k for k in range(count) if states[k] in wanted
                and states[(k + beside) % count] not in wanted]  # fmt: skip
        if not edge:
            return
        lights.setPhase(tls, edge[0])
        if shows == 'turns_red':
            lights.setPhaseDuration(tls, left_s)

    def clear(self, edge: str) -> None:
        """Remove everybody else from a street."""
        for name in self._sumo.edge.getLastStepVehicleIDs(edge):
            if name != EGO:
                self._sumo.vehicle.remove(name)

    def place_ego(self, ego: EgoPose, vehicle: SimVehicle, edges: list[str]) -> None:
        """Put the ego into the traffic; whoever is in its way, or close behind, disappears.

        At its place among the cars of its street: were it inserted at the street's beginning, cars
        between there and its place would never follow it, and run into it.
        """
        front_x = ego.x_m + math.cos(ego.heading_rad) * vehicle.rear_axle_to_front_m
        front_y = ego.y_m + math.sin(ego.heading_rad) * vehicle.rear_axle_to_front_m
        _, position_m, _ = self._sumo.simulation.convertRoad(front_x, front_y)
        for name in self._sumo.edge.getLastStepVehicleIDs(edges[0]):
            if -BEHIND_M < self._sumo.vehicle.getLanePosition(name) - position_m < 0:
                self._sumo.vehicle.remove(name)
        for name in self._sumo.vehicle.getIDList():
            x, y = self._sumo.vehicle.getPosition(name)
            if math.hypot(x - ego.x_m, y - ego.y_m) < CLEAR_M:
                self._sumo.vehicle.remove(name)
        self._sumo.route.add(EGO, edges)
        place = {'departPos': str(position_m), 'departLane': 'best', 'departSpeed': '0'}
        self._sumo.vehicle.add(EGO, EGO, **place)
        self._sumo.vehicle.setLength(EGO, vehicle.length_m)
        self._sumo.vehicle.setWidth(EGO, vehicle.width_m)
        self._sumo.vehicle.setSpeedMode(EGO, 0)
        self._sumo.vehicle.setLaneChangeMode(EGO, 0)
        self._sumo.simulationStep()

    def step(self, ego: EgoPose, vehicle: SimVehicle) -> None:
        """Move the ego to its pose and everybody else on by 0.1 s."""
        c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        reach = vehicle.rear_axle_to_front_m
        x, y = ego.x_m + c * reach, ego.y_m + s * reach
        degrees = (90.0 - math.degrees(ego.heading_rad)) % 360.0
        if EGO in self._sumo.vehicle.getIDList():
            self._sumo.vehicle.moveToXY(EGO, '', -1, x, y, degrees, keepRoute=2)
        self._sumo.simulationStep()
        if self._sumo.person.getIDCount() < self._wanted:  # arrived: somebody else sets out
            self._add_person(f'person{self._persons}')
            self._persons += 1

    def agents(self, ego: EgoPose) -> list[Agent]:
        """Everybody within 160 m of the ego, in a fixed order."""
        out = []
        for name in self._sumo.vehicle.getIDList():
            x, y = self._sumo.vehicle.getPosition(name)
            if name != EGO and math.hypot(x - ego.x_m, y - ego.y_m) < NEAR_M:
                out.append(self._car(name, x, y))
        for name in self._sumo.person.getIDList():
            x, y = self._sumo.person.getPosition(name)
            if math.hypot(x - ego.x_m, y - ego.y_m) < NEAR_M:
                out.append(self._person(name, x, y))
        return sorted(out, key=lambda a: a.id)

    def state(self, tls: str, link: int) -> str:
        """``r``, ``y``, ``g`` or ``G`` of a link of a signal."""
        return str(self._sumo.trafficlight.getRedYellowGreenState(tls)[link])

    def _car(self, name: str, x: float, y: float) -> Agent:
        sumo = self._sumo.vehicle
        heading = math.radians(90.0 - sumo.getAngle(name))
        length, half = sumo.getLength(name), sumo.getLength(name) / 2
        x, y = x - math.cos(heading) * half, y - math.sin(heading) * half
        motion = (sumo.getSpeed(name), sumo.getAcceleration(name))
        size, braking = (length, sumo.getWidth(name)), bool(sumo.getSignals(name) & BRAKE_SIGNAL)
        colour = self._colour(name, paint)
        return Agent(self._number(name), 'car', x, y, heading, *motion, *size, colour, braking)

    def _person(self, name: str, x: float, y: float) -> Agent:
        sumo = self._sumo.person
        heading, speed = math.radians(90.0 - sumo.getAngle(name)), sumo.getSpeed(name)
        size, colour = (PERSON_M, PERSON_M), self._colour(name, clothes)
        number = self._number(name)
        return Agent(number, 'pedestrian', x, y, heading, speed, 0.0, *size, colour, False)

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, 100 + len(self._numbers))

    def _colour(self, name: str, draw: Any) -> Colour:
        """A colour that depends on the name alone, not on who was seen first."""
        if name not in self._colours:
            seed = [*name.encode()]
            self._colours[name] = draw(np.random.default_rng(seed))
        return self._colours[name]


def clothes(rng: np.random.Generator) -> Colour:
    """Colour of a pedestrian's jacket."""
    hue, strength, value = rng.uniform(0, 1), rng.uniform(0, 0.7), rng.uniform(0.15, 0.85)
    return colorsys.hsv_to_rgb(float(hue), float(strength), float(value))
