"""What the model is shown instead of the truth: black pictures, or those of another drive.

They are put in behind every monitor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.simulation.drive.planners import Planner
from alpamayo_ros.simulation.drive.sensors import Sensors
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.types import PlannerInput, Proposal

Ablation = Literal['', 'cameras=black', 'cameras=other']
ABLATIONS: tuple[Ablation, ...] = ('cameras=black', 'cameras=other')
OTHER_SEED = 500  # the other drive's seed lies this far from the drive's own


class AblatedPlanner:
    """``inner``, whose frames are replaced just before the model; ages and motion stay true."""

    def __init__(self, inner: Planner, ablation: Ablation) -> None:
        if ablation not in ABLATIONS:
            raise ValueError(f'no ablation {ablation!r}; there are {", ".join(ABLATIONS)}')
        self.inner, self.ablation = inner, ablation
        self._other: OtherDrive | None = None

    @property
    def name(self) -> str:
        """The inner planner and what was taken from it."""
        return f'{self.inner.name}, {self.ablation}'

    @property
    def profile(self) -> ModelProfile:
        """The inner planner's."""
        return self.inner.profile

    @property
    def blind(self) -> bool:
        """The inner planner's."""
        return self.inner.blind

    @property
    def manifest_sha256(self) -> str:
        """The inner planner's."""
        return self.inner.manifest_sha256

    def begin(self, sim: Simulation) -> None:
        """A new drive, and with ``other`` a new other drive beside it."""
        self.inner.begin(sim)
        if self._other is not None:
            self._other.close()
        self._other = None
        if self.ablation == 'cameras=other':
            self._other = OtherDrive(elsewhere(sim.scenario), sim.seed + OTHER_SEED, self.profile)

    def propose(self, inputs: PlannerInput) -> Proposal:
        """What the inner planner makes of the replaced frames."""
        frames = inputs.frames
        shown = np.zeros_like(frames.images) if self._other is None else self._other.images()
        return self.inner.propose(replace(inputs, frames=replace(frames, images=shown)))


def elsewhere(scenario: Scenario) -> Scenario:
    """The scenario of the other drive: the same one with other numbers.

    A process holds one town, and a recorded log is one drive on every seed: beside these it is a
    winding road.
    """
    return load_scenario('winding_road') if scenario.map in ('town', 'log') else scenario


class OtherDrive:
    """A drive of the expert on another seed; over and over, should it end before ours."""

    def __init__(self, scenario: Scenario, seed: int, profile: ModelProfile) -> None:
        self.scenario, self.seed, self.profile = scenario, seed, profile
        self._start()

    def _start(self) -> None:
        self._sim = open_world(self.scenario, self.seed)
        self._sim.reset_ego(self.scenario.start.arc_m)
        self._sensors = Sensors(self._sim, self.profile)
        while isinstance(self._sensors.frames(), Fault):
            self._advance()

    def _advance(self) -> None:
        self._sensors.step(*expert.control(self._sim))
        self._sensors.look()

    def images(self) -> np.ndarray:
        """The frames of its present instant, a step later at every call."""
        if self._sim.done:
            self._sim.close()
            self._start()
        self._advance()
        frames = self._sensors.frames()
        assert not isinstance(frames, Fault)
        return frames.images

    def close(self) -> None:
        """Release its world."""
        self._sim.close()
