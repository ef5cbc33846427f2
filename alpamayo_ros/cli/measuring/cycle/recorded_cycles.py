"""Cycles of a closed-loop drive, kept with all that entered them, to be run again and timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from alpamayo_ros.faults import Fault
from alpamayo_ros.noise import noise
from alpamayo_ros.pipeline import Decision
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.planners import RuntimePlanner
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.types import EgoState, PlannerInput, Proposal

SKIPPED = 20  # the first cycles: the car stands, and nothing is in the caches


@dataclass(slots=True)
class DriveCosts:
    """A drive's kept cycles, and of all its cycles the passes and the post-processing."""

    kept: list[Recorded] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)
    near_ties: int = 0
    decide_cpu_ms: list[float] = field(default_factory=list)


class _Watched(RuntimePlanner):
    """The planner of a drive that writes down what entered and left each cycle."""

    def __init__(self, runtime: StagedRuntime, costs: DriveCosts, keep: int) -> None:
        super().__init__(runtime, runtime.profile)
        self._staged, self._costs, self._keep = runtime, costs, keep

    def propose(self, inputs: PlannerInput) -> Proposal:
        """As in the drive."""
        proposal = super().propose(inputs)
        decoded, costs = self._staged.decoded, self._costs
        assert decoded is not None
        costs.passes.append(decoded.passes)
        costs.near_ties += decoded.near_ties
        if SKIPPED < len(costs.passes) <= SKIPPED + self._keep:
            form = self.profile.trajectory
            start = noise(inputs.seed, inputs.t0_ns, self.profile.candidates, form.points)
            made = Recorded(inputs.frames, inputs.given, start, decoded.ids, proposal.candidates)
            costs.kept.append(made)
        return proposal


class _TimedDrive(Drive):
    """A drive whose decisions on a proposal are timed: roll-out, checks, costs, choice, gate."""

    decide_cpu_ms: list[float]

    def _decide(
        self, inputs: PlannerInput | Fault, ego: EgoState
    ) -> tuple[Decision, Proposal | None]:
        begin = time.process_time()
        decision, arrived = super()._decide(inputs, ego)
        if arrived is not None:
            self.decide_cpu_ms.append((time.process_time() - begin) * 1e3)
        return decision, arrived


def record_cycles(
    runtime: StagedRuntime,
    scenario: Scenario,
    seed: int,
    cycles: int,
    keep: int,
    each: Callable[[], None] = lambda: None,
) -> DriveCosts:
    """Drive ``cycles`` cycles, or to the end, and keep ``keep`` of them from the 21st on."""
    costs = DriveCosts()
    drive = _TimedDrive(scenario, seed, _Watched(runtime, costs, keep))
    drive.decide_cpu_ms = costs.decide_cpu_ms
    try:
        while not drive.sim.done and len(costs.passes) < cycles:
            drive.step()
            each()
    finally:
        drive.close()
    return costs
