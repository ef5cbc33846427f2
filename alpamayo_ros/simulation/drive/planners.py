"""Who proposes candidates in a closed loop.

A model through its runtime, the privileged expert, or a car that just drives straight on.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from alpamayo_ros import pipeline
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.base import Runtime, words_after
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.types import PlannerInput, Proposal

KINDS = (*registry.NAMES, 'expert', 'straight')
STRAIGHT_MPS, STRAIGHT_MPS2 = 5.0, 1.0


class Planner(Protocol):
    """Anything that answers a planner input with a proposal; one drive at a time."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    @property
    def profile(self) -> ModelProfile:
        """The contract its input and output follow."""
        ...

    @property
    def blind(self) -> bool:
        """True where no picture is looked at, so that none need be drawn."""
        ...

    @property
    def manifest_sha256(self) -> str:
        """Hash of the model's manifest, '' without a model."""
        ...

    def begin(self, sim: Simulation) -> None:
        """A new drive starts; only privileged planners may keep ``sim``."""
        ...

    def propose(self, inputs: PlannerInput) -> Proposal:
        """Candidates in base_link at t0."""
        ...


class RuntimePlanner:
    """A model: what ``pipeline.propose`` makes of it.  It never sees the simulation."""

    manifest_sha256: str
    name: str

    def __init__(self, runtime: Runtime, profile: ModelProfile) -> None:
        self.runtime, self.profile = runtime, profile
        self.name = runtime.identity.kind
        self.blind = registry.is_test_double(self.name) or getattr(runtime, 'blind', False)
        self.manifest_sha256 = runtime.identity.manifest_sha256

    def begin(self, sim: Simulation) -> None:
        """Forget the last drive."""
        del sim
        self.runtime.reset()

    def propose(self, inputs: PlannerInput) -> Proposal:
        """The model's candidates and words."""
        proposal = pipeline.propose(inputs, self.runtime)
        return replace(proposal, later=words_after(self.runtime))


class ExpertPlanner:
    """The privileged expert: its plan, as often as the profile wants candidates.

    It obeys the prompts of ``config/prompts.yaml`` and names the words that it does not know.
    """

    name, blind, manifest_sha256 = 'expert', True, ''

    def __init__(self, profile: ModelProfile) -> None:
        self.profile = profile
        self._sim: Simulation | None = None

    def begin(self, sim: Simulation) -> None:
        """Keep the simulation, whose truth the expert sees."""
        self._sim = sim

    def propose(self, inputs: PlannerInput) -> Proposal:
        """The expert's plan for this instant."""
        if self._sim is None:
            raise RuntimeError('the expert plans for a drive that it has begun')
        asked = read_prompt(inputs.given.prompt)
        plan = expert.plan(self._sim, self.profile.trajectory, asked.wish)
        many = np.repeat(plan[None], self.profile.candidates, 0)
        said = f'; not understood: {asked.unknown}' if asked.unknown else ''
        return Proposal(inputs.t0_ns, many, f'perception: privileged expert{said}')


class StraightPlanner:
    """Drives straight on at 5 m/s: what nobody should score with."""

    name, blind, manifest_sha256 = 'straight', True, ''

    def __init__(self, profile: ModelProfile) -> None:
        self.profile = profile

    def begin(self, sim: Simulation) -> None:
        """Nothing is remembered."""

    def propose(self, inputs: PlannerInput) -> Proposal:
        """Straight on, approaching 5 m/s at 1 m/s2."""
        form = self.profile.trajectory
        t = np.arange(1, form.points + 1) * form.dt_s
        v = float(inputs.given.ego.speed_mps[0])
        rise = math.copysign(STRAIGHT_MPS2, STRAIGHT_MPS - v)
        turn = np.minimum(t, abs(STRAIGHT_MPS - v) / STRAIGHT_MPS2)
        x = v * turn + rise * turn**2 / 2 + STRAIGHT_MPS * (t - turn)
        plan = np.stack([x, np.zeros_like(x), np.zeros_like(x)], -1).astype(np.float32)
        many = np.repeat(plan[None], self.profile.candidates, 0)
        return Proposal(inputs.t0_ns, many, 'perception: none, it drives straight on')


def open_planner(
    kind: str,
    profile: ModelProfile,
    model: str | Path | None = None,
    words_every_s: float = 0.0,
    words_concurrent: bool = False,
) -> Planner | Fault:
    """The planner ``kind``; ``model``: folder of a model with its manifest (default: shipped)."""
    if kind == 'expert':
        return ExpertPlanner(profile)
    if kind == 'straight':
        return StraightPlanner(profile)
    runtime = open_runtime(
        kind,
        profile,
        model,
        words_every_s=words_every_s,
        words_concurrent=words_concurrent,
    )
    return runtime if isinstance(runtime, Fault) else RuntimePlanner(runtime, profile)
