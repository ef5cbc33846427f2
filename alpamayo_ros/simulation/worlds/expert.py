"""The privileged expert: sees road and traffic exactly, but never what traffic is going to do.

Steering: pure pursuit.  Speed: the road's limit, and a gap from which it could stop at 1.6 m/s2
should the leader brake at 3 m/s2 (Gipps 1981); behind a standing car this is a parabola that
ends 5 m from its bumper.  Where road works, debris or a siren shift the way, it follows the
way; who is about to step into it is a standing car (``actors.hazards``).  What a passenger asks
for (``driving_wish``) makes it slower, keeps it further behind, or moves its line to the right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.profile import TrajectoryFormat
from alpamayo_ros.simulation.actors.way import Way
from alpamayo_ros.simulation.agents import LaneCar
from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.ego import EgoPose, advance
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scene_truth import cars_ahead, nearest_leader
from alpamayo_ros.simulation.sim_rig import SimVehicle

if TYPE_CHECKING:
    from alpamayo_ros.simulation.worlds.simulation import Simulation

GAP_M = 5.0
OWN_BRAKING_MPS2, LEADER_BRAKING_MPS2 = 1.6, 3.0
ACCELERATION_MPS2 = (-5.0, 1.5)
SPEED_TIME_S = 0.4  # time constant of the speed loop
SUBSTEP_S = 0.05  # longest step of its own prediction
LANE = Way()  # the lane centre
LEADER_BRAKES_MPS2 = -0.3  # from here on a braking leader is expected to brake to a standstill
GAP_RATE_1PS = 0.3  # how fast a difference to the wanted time gap is closed
DRIVES_MPS = 1.0  # a leader faster than this is followed by a time gap


def steer(
    road: Road,
    ego: EgoPose,
    arc_m: float,
    vehicle: SimVehicle,
    way: Way = LANE,
    aside_m: float = 0.0,
) -> float:
    """Pure pursuit of the way, looking 3.5 to 7 m ahead; ``aside_m``: where nothing shifts it."""
    there = arc_m + min(max(0.5 * ego.speed_mps + 2.0, 3.5), 7.0)
    offset = (way.at(there) if way.shifts else 0.0) or aside_m
    x, y, _ = road.pose(there, offset) if way.shifts or aside_m else road.point(there)
    dx, dy = x - ego.x_m, y - ego.y_m
    c, s = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
    lateral = -s * dx + c * dy
    angle = math.atan(vehicle.wheelbase_m * 2 * lateral / max(dx * dx + dy * dy, 1.0))
    return min(max(angle, -vehicle.steering_max_rad), vehicle.steering_max_rad)


def accelerate(limit_mps: float, speed_mps: float, gap_m: float, leader_speed_mps: float) -> float:
    """Acceleration towards the limit, no faster than the gap allows.

    ``gap_m`` is bumper to bumper, inf if free.
    """
    target = limit_mps
    left = gap_m - GAP_M + leader_speed_mps**2 / (2 * LEADER_BRAKING_MPS2)
    if left < math.inf:
        safe = math.sqrt(2 * OWN_BRAKING_MPS2 * max(left - 0.1 * speed_mps, 0.0))
        target = min(target, safe if left >= 0.3 else 0.0)
    low, high = ACCELERATION_MPS2
    return min(max((target - speed_mps) / SPEED_TIME_S, low), high)


def hold_back(speed_mps: float, gap_m: float, leader_mps: float, time_gap_s: float) -> float:
    """Acceleration towards a time gap behind somebody who drives; inf where none is wanted."""
    if not time_gap_s or leader_mps < DRIVES_MPS:
        return math.inf
    missing = max(time_gap_s * speed_mps, GAP_M) - gap_m
    target = max(leader_mps - GAP_RATE_1PS * missing, 0.0)
    return max((target - speed_mps) / SPEED_TIME_S, -OWN_BRAKING_MPS2)


@dataclass(frozen=True, slots=True)
class View:
    """What the expert sees of a simulation now.

    ``found``: whoever may be in its way; ``cars``: those that count.  ``bends`` False: as if the
    road asked for no less speed anywhere than where it is fastest.
    """

    road: Road
    vehicle: SimVehicle
    way: Way
    sign_mps: float
    found: tuple[LaneCar, ...]
    cars: tuple[LaneCar, ...]
    front_m: float
    crowded: bool
    wish: Wish = PLAIN
    bends: bool = True

    @classmethod
    def of(cls, sim: Simulation, wish: Wish = PLAIN) -> View:
        """The present instant, driven as ``wish`` says."""
        front, found = sim.arc_m + sim.vehicle.rear_axle_to_front_m, tuple(sim.lane_cars())
        sign, crowded = sim.scenario.speed_limit_mps, bool(sim.actors.all)
        signs = math.inf if sign is None else sign
        cars = _counting(found, front, crowded)
        return cls(sim.road, sim.vehicle, sim.actors.way, signs, found, cars, front, crowded, wish)

    def without(self, ids: frozenset[int]) -> View:
        """The same scene, had these agents (or the signal) not been there."""
        found = tuple(c for c in self.found if not c.by or not ids.issuperset(c.by))
        shifts = tuple(s for s in self.way.shifts if not s.by or not ids.issuperset(s.by))
        cars = _counting(found, self.front_m, self.crowded)
        return replace(self, found=found, cars=cars, way=Way(shifts))

    def with_car(self, car: LaneCar) -> View:
        """The same scene with one more car in the lane."""
        found = (*self.found, car)
        return replace(self, found=found, cars=_counting(found, self.front_m, self.crowded))

    def command(self, ego: EgoPose, arc_m: float, time_s: float) -> tuple[float, float]:
        """Steering and acceleration ``time_s`` from now."""
        v, front = ego.speed_mps, arc_m + self.vehicle.rear_axle_to_front_m
        ahead = arc_m + 0.3 * v
        road_mps = self.road.limit(ahead) if self.bends else self.road.fastest_mps
        limit = min(road_mps, self.way.limit(ahead), self.sign_mps) * self.wish.speed_factor
        acceleration = accelerate(limit, v, math.inf, 0.0)
        for car in self.cars:
            rear, speed = extrapolate(car, time_s)
            acceleration = min(acceleration, accelerate(limit, v, rear - front, speed))
            held = hold_back(v, rear - front, speed, self.wish.time_gap_s)
            acceleration = min(acceleration, held)
        aside = self.wish.aside_m
        return steer(self.road, ego, arc_m, self.vehicle, self.way, aside), acceleration


def _counting(found: Sequence[LaneCar], front_m: float, crowded: bool) -> tuple[LaneCar, ...]:
    """With actors every car ahead counts, else the nearest (it hides those before it)."""
    if crowded:
        return tuple(cars_ahead(found, front_m))
    nearest = nearest_leader(found, front_m)
    return () if nearest is None else (nearest,)


def control(sim: Simulation, wish: Wish = PLAIN) -> tuple[float, float]:
    """Steering [rad] and acceleration [m/s2] for the present instant."""
    return View.of(sim, wish).command(sim.pose, sim.arc_m, 0.0)


def extrapolate(car: LaneCar, time_s: float) -> tuple[float, float]:
    """Rear arc [m] and speed of a car: a braking one stops, any other keeps its speed."""
    a, v = car.acceleration_mps2, car.speed_mps
    if a >= LEADER_BRAKES_MPS2 or v <= 0:
        return car.rear_arc_m + v * time_s, v
    t = min(time_s, -v / a)
    return car.rear_arc_m + v * t + a * t * t / 2, v + a * t


def plan(
    sim: Simulation, form: TrajectoryFormat, wish: Wish = PLAIN
) -> Float32[np.ndarray, 'P 3']:
    """x, y [m], heading [rad] in base_link as it is now, in the profile's ``form``."""
    return plan_view(sim, View.of(sim, wish), form)


def plan_view(sim: Simulation, view: View, form: TrajectoryFormat) -> Float32[np.ndarray, 'P 3']:
    """The plan for a scene that may differ from the simulation's."""
    dt_s, substeps = form.dt_s, math.ceil(form.dt_s / SUBSTEP_S - 1e-9)
    start = sim.pose
    ego, arc = start, sim.arc_m
    world = np.empty((form.points, 3))
    for k in range(form.points):
        steering, acceleration = view.command(ego, arc, k * dt_s)
        ego = advance(ego, steering, acceleration, sim.vehicle, dt_s, substeps)
        arc, _, _ = sim.road.locate(ego.x_m, ego.y_m, arc + ego.speed_mps * dt_s, 1)
        world[k] = ego.x_m, ego.y_m, ego.heading_rad
    dx, dy = world[:, 0] - start.x_m, world[:, 1] - start.y_m
    c, s = math.cos(start.heading_rad), math.sin(start.heading_rad)
    out = np.stack([c * dx + s * dy, -s * dx + c * dy, world[:, 2] - start.heading_rad], 1)
    return out.astype(np.float32)
