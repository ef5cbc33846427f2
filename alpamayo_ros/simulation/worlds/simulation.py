"""The simulator: a road, traffic, six cameras and an ego that takes steering and acceleration.

Deterministic: the same scenario, seed and commands give the same states and the same image bytes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Float32, UInt8

from alpamayo_ros.sensing.navigation import FOLLOW_TEXT
from alpamayo_ros.simulation.actors.actor import EgoNow
from alpamayo_ros.simulation.actors.scenario_actors import ScenarioActors
from alpamayo_ros.simulation.actors.vary import vary
from alpamayo_ros.simulation.agents import Agent, LaneCar, Leader, StoppedCar
from alpamayo_ros.simulation.ego import EgoPose, advance
from alpamayo_ros.simulation.forks import Fork, note_forks
from alpamayo_ros.simulation.oriented_boxes import Box
from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.road import LANE_M, Road
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.scene_truth import SceneTruth, nearest_leader, scene_truth
from alpamayo_ros.simulation.scenery import road_scenery
from alpamayo_ros.simulation.scenery.atmosphere import with_atmosphere
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.scenery.render import shared_renderer
from alpamayo_ros.simulation.sim_rig import SimCamera, sim_cameras, sim_vehicle
from alpamayo_ros.simulation.worlds.accounting import (
    ego_box,
    note_contacts,
    note_rules,
    reachable_m,
    tracked,
)
from alpamayo_ros.simulation.worlds.scripted_traffic import ScriptedTraffic
from alpamayo_ros.types import EgoState, TrackedObject

STEP_S = 0.1
STEP_NS = 100_000_000


class Simulation:
    """A drive on a winding road (``open_world``: on any map); ``render`` False: no images.

    ``scripted``: that road's own traffic, nobody on other maps.
    """

    map = 'winding_road'
    forks: Sequence[Fork] = ()  # on the instructed way
    wrong_way_from_m = LANE_M / 2  # left of it traffic comes towards the ego; inf: one-way

    def __init__(self, scenario: Scenario, seed: int, render: bool = True) -> None:
        if scenario.map != self.map:
            raise ValueError(f'map {scenario.map!r} needs world.open_world; this is {self.map}')
        self.scenario, self.seed, self.vehicle = vary(scenario, seed), seed, sim_vehicle()
        self.scripted = ScriptedTraffic()
        self.road = self._build_road()
        self._renderer = shared_renderer() if render else None
        self._scenery: Scenery | None = None
        start = scenario.start
        self.reset_ego(start.arc_m, start.offset_m, start.heading_error_rad, start.speed_mps)
        self._place_traffic()

    # ---- what another kind of map does differently --------------------------------------------
    def _build_road(self) -> Road:
        shape = self.scenario.road
        scale = 0.0 if shape.straight else shape.curvature_scale
        return Road(self.seed, shape.length_m, curvature_scale=scale)

    def _build_scenery(self) -> Scenery:
        fog_1pm, closures = self.scenario.looks.fog_1pm, self.scenario.road.closures
        return road_scenery.scenery(self.road, self.seed, fog_1pm, closures)

    def _advance_traffic(self) -> None:
        """Let everybody else move on by a step; here they are functions of time."""

    def _note_red(self, before_arc_m: float) -> None:
        """Account for signals passed since ``before_arc_m``; here there are none."""

    def light_ahead(self, range_m: float) -> str:
        """Red, yellow or green: the next traffic light within ``range_m``; '' without one.

        The range counts from the bumper.
        """
        del range_m
        return ''

    def line_ahead(self) -> tuple[float, bool]:
        """Metres from the bumper to the next line at which the ego may have to stop or give way.

        inf where there is none; and whether it has to, now.
        """
        return math.inf, False

    def _red_line_m(self) -> float | None:
        """Arc of a stop line at red that the ego has to obey, also just behind its bumper."""
        return None

    def _traffic_agents(self) -> list[Agent]:
        """Everybody else but the scenario's actors, now."""
        return self.scripted.agents(self.traffic_time_s)

    def _traffic_cars(self) -> list[LaneCar]:
        """Of these the cars in the ego's lane."""
        return self.scripted.lane_cars(self.traffic_time_s)

    def _obstacles(self) -> list[LaneCar]:
        """What else of the traffic the expert has to stop for, as standing cars."""
        return []

    def _drawn(self) -> list[Agent]:
        return self.agents()

    @property
    def navigation(self) -> str:
        """The instruction for the present place, in canonical words."""
        return FOLLOW_TEXT

    def _place_traffic(self) -> None:
        front = self.arc_m + self.vehicle.rear_axle_to_front_m
        traffic = self.scenario.traffic
        self.scripted = ScriptedTraffic.drawn(self.road, self.seed, traffic, front)

    def close(self) -> None:
        """Release the mesh; the shared renderer stays."""
        if self._renderer is not None and self._scenery is not None:
            self._renderer.free(self._scenery)
            self._scenery = None

    # ---- state --------------------------------------------------------------------------------
    def reset_ego(
        self,
        arc_m: float,
        offset_m: float = 0.0,
        heading_error_rad: float = 0.0,
        speed_mps: float = 5.0,
        steering_rad: float | None = None,
    ) -> None:
        """Put the ego beside the lane centre at ``arc_m`` at time 0, traffic as at its start.

        Bookkeeping is cleared.  ``steering_rad`` None: the road's curvature there.
        """
        x, y, heading = self.road.pose(arc_m, offset_m, heading_error_rad)
        if steering_rad is None:
            curvature = float(self.road.at(arc_m)[2])
            steering_rad = math.atan(self.vehicle.wheelbase_m * curvature)
        self.pose = EgoPose(x, y, heading, speed_mps, steering_rad)
        self.arc_m = self._start_arc = arc_m
        self.now_ns, self._traffic_start_s = 0, 0.0
        self.invisible: frozenset[int] = frozenset()  # ids that pictures leave out
        self.outcome = Outcome(self.scenario.name, self.seed)
        half_width_m = self.vehicle.width_m / 2
        now = self.ego_now()
        self.actors = ScenarioActors(self.scenario, self.road, self.seed, now, half_width_m)

    def ego_now(self) -> EgoNow:
        """What the actors may know of the ego."""
        front = self.arc_m + self.vehicle.rear_axle_to_front_m
        driven = self.arc_m - self._start_arc
        return EgoNow(self.traffic_time_s, front, driven, self.pose.speed_mps)

    def place(
        self,
        arc_m: float,
        offset_m: float = 0.0,
        heading_error_rad: float = 0.0,
        speed_mps: float = 5.0,
        steering_rad: float | None = None,
        *,
        traffic_time_s: float = 0.0,
        stopped_car_gap_m: float | None = None,
        leader_gap_m: float | None = None,
        leader_speed_mps: float = 6.0,
        leader_seed: int | None = None,
    ) -> None:
        """``reset_ego`` for training, with traffic's clock shifted.

        A stopped car or a new leader (its own script from ``leader_seed``), ``..._gap_m`` ahead,
        replaces the scenario's; with neither, the scenario's car stays where it is.
        """
        self.reset_ego(arc_m, offset_m, heading_error_rad, speed_mps, steering_rad)
        self._traffic_start_s = traffic_time_s
        front = arc_m + self.vehicle.rear_axle_to_front_m
        seed = self.seed if leader_seed is None else leader_seed
        if stopped_car_gap_m is not None:
            self.scripted.lead = StoppedCar(self.road, seed, front + stopped_car_gap_m)
        elif leader_gap_m is not None:
            leader = Leader(self.road, seed, front + leader_gap_m, leader_speed_mps)
            leader.script.start_s = traffic_time_s
            self.scripted.lead = leader

    @property
    def traffic_time_s(self) -> float:
        """The time that traffic lives in."""
        return self._traffic_start_s + self.now_ns / 1e9

    @property
    def ego(self) -> EgoState:
        """The ego's motion in odom (ENU), exact."""
        p = self.pose
        yaw_rate = p.speed_mps * math.tan(p.steering_rad) / self.vehicle.wheelbase_m
        motion = (p.speed_mps, yaw_rate, p.acceleration_mps2, p.steering_rad)
        return EgoState(self.now_ns, p.x_m, p.y_m, p.heading_rad, *motion)

    @property
    def has_lead(self) -> bool:
        """Whether a stopped car or a leader is part of this drive."""
        return self.scripted.lead is not None

    @property
    def done(self) -> bool:
        """Whether the drive is over (``outcome.end`` says how)."""
        return self.outcome.end != ''

    def agents(self) -> list[Agent]:
        """Everybody else, now."""
        return [*self._traffic_agents(), *self.actors.agents]

    def lane_cars(self) -> list[LaneCar]:
        """Cars in the ego's way, and whatever else the expert has to stop for, as cars."""
        hazards = [h.car for h in self.actors.hazards]
        return [*self._traffic_cars(), *self._obstacles(), *hazards]

    # ---- sensors -------------------------------------------------------------------------------
    def images(self, only: Collection[str] | None = None) -> dict[str, UInt8[np.ndarray, '_ _ 3']]:
        """RGB images by camera name, now; ``only``: the cameras to draw."""
        if self._renderer is None:
            raise RuntimeError(
                'this Simulation was made with render=False; images need render=True'
            )
        if self._scenery is None:
            at = self.scenario.looks
            self._scenery = with_atmosphere(self._build_scenery(), at.light, at.rain, at.fog_1pm)
        now_s = self.now_ns / 1e9
        shown = [a for a in self._drawn() if a.id not in self.invisible]
        return self._renderer.render(self._scenery, self.pose, shown, only, now_s)

    def distances(
        self, camera: str, rows: range | None = None, columns: range | None = None
    ) -> Float32[np.ndarray, 'H W']:
        """What pixels of the newest picture, all or a part, are away along the axis [m]."""
        if self._renderer is None:
            raise RuntimeError('there is no picture: this Simulation was made with render=False')
        return self._renderer.distances(camera, rows, columns)

    @property
    def cameras(self) -> Sequence[SimCamera]:
        """The cameras as they are mounted in this process."""
        return sim_cameras() if self._renderer is None else self._renderer.cameras

    def drawn(self) -> list[Agent]:
        """Everybody else and the lit lamps of signals, as they are in the picture."""
        return self._drawn()

    def truth(self) -> SceneTruth:
        """Lane and leader around the ego; only vehicles are leaders."""
        cars = [*self._traffic_cars(), *(h.car for h in self.actors.hazards if h.vehicle)]
        return scene_truth(self.road, self.pose, self.arc_m, cars, self.vehicle)

    def objects(self, range_m: float = 80.0) -> list[TrackedObject]:
        """Ground-truth boxes within ``range_m``, centre and heading in base_link."""
        return tracked(self.agents(), self.pose, self.now_ns, range_m)

    # ---- time ---------------------------------------------------------------------------------
    def step(self, steering_rad: float, acceleration_mps2: float) -> None:
        """Hold the commands for 0.1 s (sub-stepped), then account for what happened."""
        self.pose = advance(self.pose, steering_rad, acceleration_mps2, self.vehicle, STEP_S)
        self.now_ns += STEP_NS
        self._advance_traffic()
        p, before_arc_m = self.pose, self.arc_m
        self.arc_m, offset, heading = self.road.locate(
            p.x_m, p.y_m, self.arc_m + p.speed_mps * STEP_S
        )
        self.actors.notice(self.ego_now())
        front = self.arc_m + self.vehicle.rear_axle_to_front_m
        leader = nearest_leader(self.lane_cars(), front)
        gap = math.inf if leader is None else leader.rear_arc_m - front
        shift, edges = self.actors.way.at(self.arc_m), self.road.edges_m(self.arc_m)
        driven = self.arc_m - self._start_arc
        self.outcome.note(driven, offset, p.speed_mps, gap, STEP_S, shift, edges)
        if not self.done:
            note_forks(self.outcome, self.forks, before_arc_m, self.arc_m)
        self._note_red(before_arc_m)
        turned = p.heading_rad - heading
        note_rules(self, offset, turned, shift, self._red_line_m(), STEP_S)
        self._check_contacts()
        self._note_reachable()
        if not self.done:
            parked = self.scripted.parked or self.actors.blocked
            self.outcome.conclude(self.scenario, parked, self.road.length_m - self.arc_m)

    def _note_reachable(self) -> None:
        start = self._start_arc + self.vehicle.rear_axle_to_front_m
        self.outcome.reachable_m = reachable_m(self.scenario.goal_m, self.lane_cars(), start)

    def ego_box(self) -> Box:
        """The ego's rectangle in the world frame."""
        return ego_box(self.pose, self.vehicle)

    def _check_contacts(self) -> None:
        note_contacts(self.outcome, self.ego_box(), self.pose.speed_mps, self.agents())
