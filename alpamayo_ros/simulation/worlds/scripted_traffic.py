"""The winding road's own traffic: one car ahead that stands or drives, and oncoming ones.

Functions of seed and time, never of the ego (``simulation.agents``); other maps have none of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alpamayo_ros.simulation.agents import Agent, LaneCar, Leader, Oncoming, StoppedCar
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenario import Traffic

LEADER_GAP_M, LEADER_MPS = (15.0, 40.0), (4.0, 9.0)  # where a leader begins, and how fast


@dataclass(slots=True)
class ScriptedTraffic:
    """Who is there; None: nobody.  Either may be replaced or taken away between two steps."""

    lead: StoppedCar | Leader | None = None
    oncoming: Oncoming | None = None

    @classmethod
    def drawn(cls, road: Road, seed: int, traffic: Traffic, front_m: float) -> ScriptedTraffic:
        """What a scenario asks for; ``front_m``: arc of the ego's bumper at the start."""
        rng = np.random.default_rng([seed, 7])
        out = cls(oncoming=Oncoming(road, seed) if traffic.oncoming else None)
        if rng.random() < traffic.stopped_car_probability:
            out.lead = StoppedCar(road, seed, traffic.stopped_car_arc_m)
        elif traffic.leader:
            rear_m = front_m + float(rng.uniform(*LEADER_GAP_M))
            out.lead = Leader(road, seed, rear_m, float(rng.uniform(*LEADER_MPS)))
        return out

    def agents(self, time_s: float) -> list[Agent]:
        """Everybody, now."""
        groups = [g for g in (self.lead, self.oncoming) if g is not None]
        return [agent for group in groups for agent in group.agents(time_s)]

    def lane_cars(self, time_s: float) -> list[LaneCar]:
        """Of these the cars in the ego's lane."""
        return [] if self.lead is None else self.lead.lane_cars(time_s)

    @property
    def parked(self) -> bool:
        """Whether the car ahead stands for good."""
        return isinstance(self.lead, StoppedCar)
