"""The simulated drive behind the node: who drives, how far the car got, what the plans were."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import Twist

from alpamayo_ros.faults import Fault
from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.control.obedience import Order, obeyed
from alpamayo_ros.nodes.control.tracking import tracked
from alpamayo_ros.recording import scene_facts
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT, NavInstruction
from alpamayo_ros.sensing.route import from_text
from alpamayo_ros.simulation.drive.fact_track import FactTrack
from alpamayo_ros.simulation.drive.verdict import row
from alpamayo_ros.simulation.ego import advance
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import STEP_S
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

ROUTE_STEP_M = 2.0


class World:
    """A Simulation whose time starts at ``epoch_ns``; the car follows references or commands.

    It brakes before the first one, after the last, and where one has no points.
    """

    def __init__(
        self, scenario: str, seed: int, epoch_ns: int, shadow: bool, manual: bool
    ) -> None:
        """``shadow``: the expert drives; ``manual``: a person arms, and may take time.

        ValueError or FileNotFoundError: no such scenario.
        """
        self.simulation = open_world(load_scenario(scenario), seed)
        self.simulation.outcome.unhurried = manual
        self.epoch_ns = epoch_ns
        self.shadow = shadow
        self.first_plan_s: float | None = None
        self.counts = {'plans': 0, 'stops': 0}
        self._facts = FactTrack()
        self._said = FOLLOW_TEXT
        self._hash = hashlib.sha256()
        self._command: tuple[int, tuple[float, float]] | None = None

    @property
    def title(self) -> str:
        """Scenario and seed."""
        return f'{self.simulation.scenario.name}, seed {self.simulation.seed}'

    @property
    def now_ns(self) -> int:
        """Simulated time of the newest timestep."""
        return self.epoch_ns + self.simulation.now_ns

    @property
    def elapsed_s(self) -> float:
        """Simulated time since the start."""
        return self.simulation.now_ns / NS

    @property
    def done(self) -> bool:
        """Whether the scenario has ended."""
        return self.simulation.done

    @property
    def ego(self) -> EgoState:
        """The car now, stamped with simulated time."""
        return replace(self.simulation.ego, stamp_ns=self.now_ns)

    def images(self) -> dict[str, np.ndarray]:
        """RGB images by camera, now."""
        return self.simulation.images()

    def agents(self) -> list[Any]:
        """Everybody else, in odom."""
        return self.simulation.agents()

    def news(self) -> NavInstruction | None:
        """The instruction, when its wording is another than at the last call."""
        text = self.simulation.navigation
        found = from_text(text) if text != self._said else None
        self._said = text
        return None if isinstance(found, Fault) else found

    def look(self, images: Mapping[str, np.ndarray]) -> None:
        """Keep for ``write_facts`` what is true now, as far as these pictures of now show it."""
        self._facts.look(self.simulation, self.simulation.truth(), self.now_ns, images)

    def route(self) -> np.ndarray:
        """Lane centre from the car on, in odom (N, 2) [m]."""
        road = self.simulation.road
        arcs = np.arange(self.simulation.arc_m, road.length_m - ROUTE_STEP_M, ROUTE_STEP_M)
        return np.array([road.point(float(arc))[:2] for arc in arcs])

    def step(self, order: Order) -> None:
        """Drive 0.1 s after ``order``; before the first one the car brakes."""
        self.simulation.step(*self._commands(order))
        self._command = None

    def between(self, tick: int, ticks: int, order: Order) -> EgoState:
        """The car ``tick`` of ``ticks`` parts into the step that comes next; fixes its command."""
        sim = self.simulation
        part_s = STEP_S / ticks
        pose = advance(sim.pose, *self._commands(order), sim.vehicle, tick * part_s, tick)
        yaw_rate = pose.speed_mps * math.tan(pose.steering_rad) / sim.vehicle.wheelbase_m
        return EgoState(
            self.now_ns + round(tick * part_s * NS), pose.x_m, pose.y_m, pose.heading_rad,
            pose.speed_mps, yaw_rate, pose.acceleration_mps2, pose.steering_rad,
        )  # fmt: skip

    def _commands(self, order: Order) -> tuple[float, float]:
        """Steering and acceleration of the step from now, the same however often it is asked."""
        if self._command is not None and self._command[0] == self.now_ns:
            return self._command[1]
        if self.shadow:
            commands = expert.control(self.simulation)
        else:
            commands = self._obey(order)
        self._command = (self.now_ns, commands)
        return commands

    def _obey(self, order: Order) -> tuple[float, float]:
        """A reference by the tracker, a Twist by the simulated drive-by-wire."""
        pose, car = self.simulation.pose, self.simulation.vehicle
        if order is not None and self.first_plan_s is None:
            self.first_plan_s = self.elapsed_s
        if isinstance(order, Twist):
            return obeyed(order, pose, car)
        return tracked(order, pose, self.now_ns, car)

    def note_plan(self, plan: PlannedTrajectory) -> None:
        """Count a plan and take every field into the fingerprint (CDR's padding is not fixed)."""
        self.counts['plans' if plan.source == PlannedTrajectory.MODEL else 'stops'] += 1
        self._hash.update(repr(plan).encode())

    def result(self, mode: str) -> dict[str, Any]:
        """The row of the drive so far, and the fingerprint of its plans."""
        sim = self.simulation
        counts = (self.counts['plans'], self.counts['stops'])
        out = row(sim.scenario, sim.outcome, sim.has_lead, counts, self.first_plan_s)
        return {**out.as_dict(), 'mode': mode, 'plans_sha256': self._hash.hexdigest()}

    def write_facts(self, folder: Path) -> None:
        """What ``look`` kept, into the folder of the drive's recording."""
        scene_facts.write(folder, self._facts.records(self.simulation.ego))

    def close(self) -> None:
        """Release the renderer."""
        self.simulation.close()
