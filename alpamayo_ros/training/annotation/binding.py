"""What binds the expert's plan: it is asked again without each thing that it takes account of.

Necessity first: the thing without which the plan differs most.  Where none alone makes a
difference (two cars behind each other), sufficiency: the one that alone holds the plan back most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.metrics.speed_change import STANDING_MPS
from alpamayo_ros.profile import TrajectoryFormat
from alpamayo_ros.simulation.agents import SIGNAL, Agent, LaneCar
from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.scene_truth import cars_ahead, nearest_leader
from alpamayo_ros.simulation.worlds.expert import View, plan_view
from alpamayo_ros.simulation.worlds.simulation import Simulation

COARSE = TrajectoryFormat(points=30, dt_s=0.2)  # 6 s; a plan of 60 points costs twice as much
ASIDE_WEIGHT = 3.0
EFFECT_M = 1.0  # plans that stay this near to each other are the same
LOOK_M, LINE_FROM_M = 60.0, -30.0
NEAREST = 5  # cars behind each other that are asked about
ONCOMING_RAD = 2.2
ASIDE_M = 1.8  # a vehicle whose middle is further aside is not in our lane
KIND_OF = {'pedestrian': 'pedestrian', 'cyclist': 'cyclist', 'debris_box': 'debris',
           'debris_tyre': 'debris', 'cone': 'works', 'barrier': 'works',
           'emergency_car': 'siren'}  # fmt: skip
TOGETHER = ('works', 'debris', 'oncoming', 'circling', 'joining')  # named as one

Plan = Float32[np.ndarray, 'P 3']


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that the expert takes account of: its name in the grammar and its agents."""

    name: str
    ids: frozenset[int] = frozenset()


NOTHING = Cause('nothing')


class Question:
    """The expert's scene of one instant, to be asked about with something changed."""

    def __init__(self, sim: Simulation, wish: Wish = PLAIN) -> None:
        self.sim, self.view = sim, View.of(sim, wish)
        self.agents: dict[int, Agent] = {a.id: a for a in sim.agents()}

    @cached_property
    def base(self) -> Plan:
        """The plan as it is."""
        return plan_view(self.sim, self.view, COARSE)

    def without(self, ids: frozenset[int]) -> Plan:
        """The plan, had these not been there."""
        return plan_view(self.sim, self.view.without(ids), COARSE)

    def with_standing(self, rear_m: float) -> Plan:
        """The plan, did something stand in the lane from this arc on."""
        car = LaneCar(rear_m, 0.0, 0.0, 0.0)
        return plan_view(self.sim, self.view.with_car(car), COARSE)

    def relaxed(self, cause: str) -> Plan:
        """The plan without bends, without signs or without the wish."""
        view = {
            'bend': lambda: replace(self.view, bends=False),
            'limit': lambda: replace(self.view, sign_mps=math.inf),
            'wish': lambda: replace(self.view, wish=PLAIN),
        }[cause]()
        return plan_view(self.sim, view, COARSE)

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """Whatever the expert takes account of now, things that belong together as one."""
        found: dict[tuple[str, int], set[int]] = {}
        shifts = [s for s in self.view.way.shifts if s.begin_m < self.sim.arc_m + LOOK_M]
        ahead = sorted(cars_ahead(self.view.found, self.view.front_m), key=lambda c: c.rear_arc_m)
        counted = ahead if self.view.crowded else ahead[:NEAREST]
        for by in (*(c.by for c in counted), *(s.by for s in shifts)):
            for i in by:
                name = self._name(i)
                found.setdefault((name, 0 if name in TOGETHER else i), set()).add(i)
        causes = [Cause(name, frozenset(ids)) for (name, _), ids in found.items()]
        return tuple(sorted(causes, key=lambda cause: cause.name != 'light'))

    def place(self, a: Agent) -> tuple[float, float]:
        """Metres along our way to the middle of an agent (from the bumper), and aside of it."""
        line, heading = self._line
        k = int(np.hypot(line[:, 0] - a.x_m, line[:, 1] - a.y_m).argmin())
        c, s = math.cos(heading[k]), math.sin(heading[k])
        dx, dy = a.x_m - line[k, 0], a.y_m - line[k, 1]
        reach = self.sim.vehicle.rear_axle_to_front_m
        return LINE_FROM_M + k + float(c * dx + s * dy) - reach, float(c * dy - s * dx)

    @cached_property
    def _line(self) -> tuple[np.ndarray, np.ndarray]:
        """Our way, every metre, and its heading."""
        arcs = self.sim.arc_m + np.arange(LINE_FROM_M, LOOK_M)
        line, heading, _ = self.sim.road.at(arcs)
        return line, heading

    def _name(self, number: int) -> str:
        if number == SIGNAL:
            return 'light'
        a, pose = self.agents[number], self.sim.pose
        if a.kind in KIND_OF:
            return KIND_OF[a.kind]
        dx, dy = a.x_m - pose.x_m, a.y_m - pose.y_m
        c, s = math.cos(pose.heading_rad), math.sin(pose.heading_rad)
        if number == self.leader_id:
            return 'lead'
        if self.sim.map == 'roundabout':
            return 'circling'
        turned = math.remainder(a.heading_rad - pose.heading_rad, 2 * math.pi)
        if abs(turned) > ONCOMING_RAD and a.speed_mps > STANDING_MPS:
            return 'oncoming'
        beside = abs(c * dy - s * dx) > ASIDE_M and self.sim.map == 'motorway'
        return 'joining' if beside else 'lead'

    @cached_property
    def leader_id(self) -> int | None:
        """The vehicle ahead in the lane, by the same rule as the scene's truth."""
        sim = self.sim
        hazards = [h.car for h in sim.actors.hazards if h.vehicle]
        mine = {i for c in self.view.found for i in c.by if len(c.by) == 1}
        vehicles = {i for i in mine if i in self.agents and self.agents[i].length_m > 3.0}
        cars = [c for c in self.view.found if len(c.by) == 1 and c.by[0] in vehicles]
        gap = sim.truth().leader_gap_m
        near = [c for c in (*hazards, *cars) if abs(c.rear_arc_m - self.view.front_m - gap) < 0.01]
        leader = nearest_leader(near, self.view.front_m)
        return leader.by[0] if leader is not None and leader.by else None


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds, and how far the plan moves without it; ``hidden``: nobody could see it."""

    cause: Cause
    effect_m: float
    hidden: bool = False


def effect_m(one: Plan, other: Plan) -> float:
    """Largest distance between two plans at the same time [m]; a metre aside counts thrice.

    Half a metre aside is another way, half a metre ahead the same.
    """
    return float(np.hypot(*((one[:, :2] - other[:, :2]) * (1.0, ASIDE_WEIGHT)).T).max())


def binding(question: Question, seen: frozenset[int]) -> Binding:
    """The cause that binds; ``seen``: ids that the pictures show, ``SIGNAL`` among them."""
    causes = question.causes
    effects = [effect_m(question.without(c.ids), question.base) for c in causes]
    effects += [effect_m(question.relaxed(name), question.base) for name in _roads(question)]
    every = [*causes, *(Cause(name) for name in _roads(question))]
    best = max(range(len(every)), key=effects.__getitem__, default=None)
    if best is not None and effects[best] > EFFECT_M:
        found, moved = every[best], effects[best]
    else:
        found, moved = _alone(question, causes)
    hidden = bool(found.ids) and not found.ids & seen
    return Binding(found, moved, hidden)


def _roads(question: Question) -> list[str]:
    """What else may limit speed: bends, signs, the wish; only where it can make a difference."""
    view = question.view
    names = ['bend'] if view.road.limit(question.sim.arc_m + 20.0) < view.road.fastest_mps else []
    names += ['limit'] if view.sign_mps < view.road.fastest_mps else []
    return names + (['wish'] if view.wish != PLAIN else [])


def _alone(question: Question, causes: Sequence[Cause]) -> tuple[Cause, float]:
    """The cause that alone holds the plan back most, if all together do."""
    everybody = frozenset(i for c in causes for i in c.ids)
    if len(causes) < 2:
        return NOTHING, 0.0
    free = question.without(everybody)
    if effect_m(free, question.base) <= EFFECT_M:
        return NOTHING, 0.0
    alone = [effect_m(question.without(everybody - c.ids), free) for c in causes]
    best = int(np.argmax(alone))
    return causes[best], alone[best]
