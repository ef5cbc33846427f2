"""A recorded scene to be driven: its road is the recorded driver's path.

Agents do again what they did.  They do not react: who follows the ego closely runs into it where
it drives slower than the recorded driver did.  Such a contact is not the ego's fault
(``simulation.road_rules``); with ``traffic.rear_immunity`` (the default) the agent leaves the
scene instead and ``ran_into_ego`` counts it.  The drive ends where the recorded driver's path
ends, or with the last step of the log; where that driver stands at its end, with the last step.
Progress is against the recorded driver's way, whatever stands ahead of the ego at the end.
"""

from __future__ import annotations

import math

import numpy as np

from alpamayo_ros.datasets.log_format import DT_S, Log, read_log
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.simulation.agents import SIGNAL, Agent, LaneCar
from alpamayo_ros.simulation.maps.log_road import LogRoad
from alpamayo_ros.simulation.path_road import lane_cars, projected
from alpamayo_ros.simulation.road import BEHIND_M, SPEED_MAX_MPS, STEP_M, Road
from alpamayo_ros.simulation.road_rules import BEYOND_LINE_M, OVER_LINE_M
from alpamayo_ros.simulation.scenario import Scenario, Start
from alpamayo_ros.simulation.scenery import log_scenery, log_signals
from alpamayo_ros.simulation.scenery.log_signals import Head
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.worlds import contacts, expert
from alpamayo_ros.simulation.worlds.expert import GAP_M
from alpamayo_ros.simulation.worlds.give_way import GiveWay
from alpamayo_ros.simulation.worlds.log_stops import LogStops
from alpamayo_ros.simulation.worlds.log_traffic import LogTraffic
from alpamayo_ros.simulation.worlds.simulation import Simulation

PERSON_BESIDE_M = 2.0
ANNOUNCED_M = 100.0
TURN_1PM, TURN_RAD, TURN_GAP_M = 0.02, 0.7, 6.0  # what counts as a turn of the recorded path
AMBER_MPS2 = 2.0
LINE_M = 1.0  # the bumper stands so far before a stop line
LEAST_GOAL_M = 1.0
REACHED = 0.9  # of the way at top speed: a start and a gap cost something


class LogWorld(Simulation):
    """One drive through a recorded scene; see ``Simulation``.

    The start is that of the record unless the scenario sets one; ``goal_m`` and ``duration_s``
    are at most those of the record.  As on every map nobody is asked to drive faster than
    ``SPEED_MAX_MPS``, even where the recorded driver did.  For the first ``traffic.lead_in_s``
    the good driver (``expert``) drives: a planner has no plan before it has its frame history and
    is armed, and until then the tracker would brake a car that a moment ago was driving.
    """

    map = 'log'

    def __init__(self, scenario: Scenario, seed: int, render: bool = True) -> None:
        self.log: Log = read_log(scenario.traffic.log)
        self.ran_into_ego = 0
        super().__init__(self._fitted(scenario), seed, render)

    def _fitted(self, scenario: Scenario) -> Scenario:
        """The scenario with what the log decides."""
        states = self.log.ego.states()
        driven = float(np.linalg.norm(np.diff(states[:, :2], axis=0), axis=1).sum())
        driven = min(driven, REACHED * SPEED_MAX_MPS * self.log.duration_s)
        start = Start(arc_m=0.0, speed_mps=min(float(states[0, 3]), SPEED_MAX_MPS))
        return scenario.model_copy(
            update={
                'start': scenario.start if 'start' in scenario.model_fields_set else start,
                'goal_m': max(min(scenario.goal_m, driven), LEAST_GOAL_M),
                'duration_s': min(scenario.duration_s, self.log.duration_s),
            }
        )

    def _build_road(self) -> Road:
        self._path = LogRoad(self.log, self.vehicle, self.seed)
        self._stops = LogStops(self.log, self._path, self.vehicle)
        self._turns = _turns(self._path)
        self._heads: list[Head] = log_signals.heads(self.log, self._path)
        self._lines = [(y, GiveWay(self._path.arc_of(y.x_m, y.y_m))) for y in self.log.yields]
        self.wrong_way_from_m = math.inf
        return self._path

    def _place_traffic(self) -> None:
        self._traffic = LogTraffic(self.log, self.seed)
        self._now: tuple[float, list[Agent]] = (-1.0, [])
        self._advance_traffic()

    def reset_ego(
        self,
        arc_m: float,
        offset_m: float = 0.0,
        heading_error_rad: float = 0.0,
        speed_mps: float = 5.0,
        steering_rad: float | None = None,
    ) -> None:
        """See ``Simulation``; who left the scene is there again."""
        super().reset_ego(arc_m, offset_m, heading_error_rad, speed_mps, steering_rad)
        self.ran_into_ego = 0
        if hasattr(self, '_traffic'):
            self._traffic.return_all()
            self._stops.reset()
            self._now = (-1.0, [])
            for _, line in self._lines:
                line.waits = False

    def _build_scenery(self) -> Scenery:
        fog = self.scenario.looks.fog_1pm
        return log_scenery.scenery(self.log, self._path, self._heads, self.seed, fog)

    def _traffic_agents(self) -> list[Agent]:
        if self._now[0] != self.traffic_time_s:
            self._now = (self.traffic_time_s, self._traffic.agents(self.traffic_time_s))
        return self._now[1]

    def _traffic_cars(self) -> list[LaneCar]:
        riders = [a for a in self._traffic_agents() if a.kind != 'pedestrian']
        return lane_cars(self.road, self.arc_m, riders)

    def _drawn(self) -> list[Agent]:
        return [*self.agents(), *log_signals.lamps(self._heads, self.traffic_time_s)]

    def _advance_traffic(self) -> None:
        """Whether traffic comes towards the ego's middle (for wrong way), and who goes first."""
        step = round(self.traffic_time_s / DT_S)
        for said, line in self._lines:
            line.look(self._bumper_m(), self.pose.speed_mps, said.at(step))
        box = self.ego_box()
        against = self._path.lanes.against(box.x_m, box.y_m, self.road.point(self.arc_m)[2])
        self.wrong_way_from_m = -math.inf if against else math.inf

    @property
    def navigation(self) -> str:
        """The next turn of the recorded path, announced within 100 m, in canonical words."""
        for first_m, last_m, maneuver in self._turns:
            if self.arc_m < last_m and first_m - self.arc_m < ANNOUNCED_M:
                return canonical(NavInstruction(maneuver, max(first_m - self.arc_m, 0.0)))[0]
        return super().navigation

    def step(self, steering_rad: float, acceleration_mps2: float) -> None:
        """See ``Simulation``; the expert leads in, and the drive ends with the log.

        It is over at the last step of the log, whatever the ego waits for.
        """
        if self.now_ns < self.scenario.traffic.lead_in_s * 1e9:
            steering_rad, acceleration_mps2 = expert.control(self)
        super().step(steering_rad, acceleration_mps2)
        if self.outcome.end == 'goal' and self._stops.ends_standing:
            self.outcome.end = ''  # whether it stands there is judged too
        if not self.done and self.traffic_time_s >= self.log.duration_s - DT_S / 2:
            self.outcome.end = 'time'

    def _note_reachable(self) -> None:
        self.outcome.reachable_m = self.scenario.goal_m

    # ---- contacts -----------------------------------------------------------------------------
    def _check_contacts(self) -> None:
        if self.scenario.traffic.rear_immunity:
            mine, speed_mps = self.ego_box(), self.pose.speed_mps
            for a in self._traffic_agents():
                if contacts.side(mine, speed_mps, a) == 'behind':
                    self._traffic.leave(a.id)
                    self.ran_into_ego += 1
                    self._now = (-1.0, [])
        super()._check_contacts()

    # ---- signals, and what stands in the way --------------------------------------------------
    def _bumper_m(self) -> float:
        return self.arc_m + self.vehicle.rear_axle_to_front_m

    def light_ahead(self, range_m: float) -> str:
        """What the next signal on the path shows; see ``Simulation``."""
        head = log_signals.ruling(self._heads, self._bumper_m() - OVER_LINE_M)
        if head is None or head.arc_m is None or head.arc_m - self._bumper_m() > range_m:
            return ''
        shown = head.light(self.traffic_time_s)
        return '' if shown == 'unknown' else shown

    def line_ahead(self) -> tuple[float, bool]:
        """The next line before which to give way; see ``Simulation``."""
        ahead = [line for _, line in self._lines if line.line_m > self._bumper_m()]
        line = min(ahead, key=lambda line: line.line_m, default=GiveWay(math.inf))
        return line.line_m - self._bumper_m(), line.waits

    def _note_red(self, before_arc_m: float) -> None:
        """Count stop lines that the bumper crosses at red, and stops that it drives past."""
        reach = self.vehicle.rear_axle_to_front_m
        passed = self._stops.passed(self.traffic_time_s, before_arc_m + reach, self._bumper_m())
        self.outcome.rules.stop_lines += passed
        for h in self._heads:
            if h.arc_m is not None and before_arc_m + reach < h.arc_m <= self._bumper_m():
                self.outcome.red_lights += int(h.light(self.traffic_time_s) == 'red')

    def _red_line_m(self) -> float | None:
        for h in self._heads:
            if h.arc_m is not None and 0 < self._bumper_m() - h.arc_m < BEYOND_LINE_M:
                return h.arc_m if h.light(self.traffic_time_s) == 'red' else None
        return None

    def _obstacles(self) -> list[LaneCar]:
        """People in the way, and lines at which to stop or to give way, as standing cars."""
        people = [a for a in self._traffic_agents() if a.kind == 'pedestrian']
        near = projected(self.road, self.arc_m, people, PERSON_BESIDE_M)
        out = [LaneCar(arc, 0.0, 0.0, 0.0, (a.id,)) for a, arc, _, _ in near]
        out += self._stops.waits(self.traffic_time_s, self._bumper_m())
        out += [car for _, line in self._lines for car in line.obstacles()]
        head = log_signals.ruling(self._heads, self._bumper_m() - OVER_LINE_M)
        if head is not None and head.arc_m is not None:
            shown, left = head.light(self.traffic_time_s), head.arc_m - self._bumper_m()
            could = self.pose.speed_mps**2 / 2 / AMBER_MPS2 < max(left, 0.0)
            if shown == 'red' or (shown == 'yellow' and could):
                out.append(LaneCar(head.arc_m - LINE_M + GAP_M, 0.0, 0.0, 0.0, (SIGNAL,)))
        return out


def _turns(road: LogRoad) -> list[tuple[float, float, Maneuver]]:
    """Turns of the recorded path: first and last arc, left or right."""
    bent = np.nonzero(np.abs(road.curvature) > TURN_1PM)[0]
    out: list[tuple[float, float, Maneuver]] = []
    for part in np.split(bent, np.nonzero(np.diff(bent) > TURN_GAP_M / STEP_M)[0] + 1):
        if not len(part):
            continue
        turned = float(road.heading[part[-1]] - road.heading[part[0]])
        if abs(turned) > TURN_RAD:
            first, last = (float(k) * STEP_M - BEHIND_M for k in (part[0], part[-1]))
            out.append((first, last, Maneuver.LEFT if turned > 0 else Maneuver.RIGHT))
    return out
