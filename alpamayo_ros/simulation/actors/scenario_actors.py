"""All actors of a drive: built from the scenario, triggered by the ego, seen by all."""

from __future__ import annotations

from collections.abc import Sequence

from alpamayo_ros.simulation import actor_models as models
from alpamayo_ros.simulation.actors.actor import Actor, EgoNow, Placed
from alpamayo_ros.simulation.actors.crossing import CrossingActor
from alpamayo_ros.simulation.actors.hazards import Hazard, hazards, way_now
from alpamayo_ros.simulation.actors.standing import DebrisActor, RoadWorksActor, StoppedActor
from alpamayo_ros.simulation.actors.vehicles import (
    BrakingLeaderActor,
    CutInActor,
    LostLoadActor,
    OncomingVehicle,
)
from alpamayo_ros.simulation.actors.way import Shift, Way, of_closure
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenario import Scenario


def build(scenario: Scenario, road: Road, seed: int, front_arc_m: float) -> list[Actor]:
    """The actors of ``scenario`` for an ego whose bumper starts at ``front_arc_m``."""
    out: list[Actor] = []
    for number, model in enumerate(scenario.actors):
        severity = min(scenario.severity * model.severity_scale, 1.0)
        out.append(_actor(model, road, seed, severity, front_arc_m, number))
    for number, closure in enumerate(scenario.road.closures):
        out.append(RoadWorksActor(closure, scenario.severity, number))
    return out


def _actor(
    model: models.AnyActor, road: Road, seed: int, severity: float, front_m: float, number: int
) -> Actor:
    if isinstance(model, models.BrakingLeader):
        return BrakingLeaderActor(model, road, seed, severity, front_m)
    if isinstance(model, models.LostLoad):
        return LostLoadActor(model, road, seed, severity, front_m)
    if isinstance(model, models.CutIn):
        return CutInActor(model, seed, severity, front_m, number)
    if isinstance(model, models.OncomingActor):
        return OncomingVehicle(model, seed, severity, number)
    if isinstance(model, models.Stopped):
        return StoppedActor(model, road, seed, severity, number)
    if isinstance(model, models.Crossing):
        return CrossingActor(model, seed, severity, number)
    return DebrisActor(model, seed, severity, number)


class ScenarioActors:
    """The actors of one drive.  Without any it costs nothing and changes nothing."""

    def __init__(
        self, scenario: Scenario, road: Road, seed: int, ego: EgoNow, half_width_m: float
    ) -> None:
        self.road, self._half_width_m, self._ego = road, half_width_m, ego
        self.all: Sequence[Actor] = build(scenario, road, seed, ego.front_arc_m)
        works = [a for a in self.all if isinstance(a, RoadWorksActor)]
        cones = [tuple(p.id for p in actor.placed(0.0)) for actor in works]
        pairs = zip(scenario.road.closures, cones, strict=True)
        shifts = [of_closure(closure, ids) for closure, ids in pairs]
        self._fixed: list[Shift] = [s for s in shifts if s is not None]
        self._still: dict[int, Agent] = {}
        self.notice(ego)

    def notice(self, ego: EgoNow) -> None:
        """Let the actors see the ego, and work out where everybody is now."""
        self._ego = ego
        for actor in self.all:
            actor.notice(ego)
        self.placed: list[Placed] = [p for a in self.all for p in a.placed(ego.time_s)]
        self.agents: list[Agent] = [self._agent(p) for p in self.placed]
        self.way = way_now(self._fixed, self.placed, ego) if self.all else Way()
        self.hazards: list[Hazard] = []
        if self.all:
            self.hazards = hazards(self.placed, self.way, ego, self._half_width_m)

    def _agent(self, p: Placed) -> Agent:
        """The agent; those that never move are made once."""
        if not p.final:
            return p.agent(self.road)
        if p.id not in self._still:
            self._still[p.id] = p.agent(self.road)
        return self._still[p.id]

    @property
    def blocked(self) -> bool:
        """Whether the nearest hazard will never move."""
        nearest = min(self.hazards, key=lambda h: h.car.rear_arc_m, default=None)
        return nearest is not None and nearest.final
