"""What the wheel does when one plan follows another, in closed loop: with the join and without."""

from dataclasses import replace

import numpy as np
import pytest
from drives import TIME

from alpamayo_ros.faults import Fault
from alpamayo_ros.motion.join import place
from alpamayo_ros.motion.splice import Reference, splice
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Cycle, Drive, Options
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.types import PlannerInput, Proposal

POINT_M, ASIDE_MPS = 0.04, 0.1  # noise of each waypoint; drift of a whole proposal to one side
MOST_DEG, MS = 1.0, 1_000_000


class Restless(ExpertPlanner):
    """The expert with a model's noise: every point, and every proposal as a whole."""

    def propose(self, inputs: PlannerInput) -> Proposal:
        proposal = super().propose(inputs)
        rng = np.random.default_rng(inputs.t0_ns // 1_000_000)
        moved = proposal.candidates + rng.normal(size=proposal.candidates.shape) * [
            POINT_M, POINT_M, POINT_M / 2,
        ]  # fmt: skip
        moved[..., 1] += rng.normal() * ASIDE_MPS * TIME
        return replace(proposal, candidates=moved.astype(np.float32))


class Wheel:
    """Follows the references of a drive; ``steps_deg``: of what is asked, as a plan takes over.

    ``later_deg``: the same 0.1 s later, where the join has begun to lead over to the new plan.
    """

    def __init__(self, drive: Drive, joined: bool) -> None:
        self._config, self._joined = drive.config, joined
        self._driven: Reference | None = None
        self.steps_deg: list[float] = []
        self.later_deg: list[float] = []
        self.refused = 0

    def note(self, cycle: Cycle) -> None:
        plan, old = cycle.decision.plan, self._driven
        if plan is None:
            return
        before = old if self._joined else None
        given = (self._config.vehicle, self._config.limits)
        found = splice(plan, before, cycle.ego, cycle.now_ns, *given)
        if isinstance(found, Fault):  # the graph brakes then, and begins anew
            self.refused, self._driven = self.refused + 1, None
            return
        if old is not None and cycle.ego.speed_mps > 1.0:
            for steps, at_ns in ((self.steps_deg, 0), (self.later_deg, 100 * MS)):
                at_ns += cycle.now_ns
                steps.append(abs(self._asked(found, at_ns) - self._asked(old, at_ns)))
        self._driven = found

    def _asked(self, reference: Reference, at_ns: int) -> float:
        """Angle of the front wheels [deg] that a reference has at an instant."""
        bend = place(reference.plan, reference.join, at_ns).curvature_1pm
        return float(np.degrees(np.arctan(self._config.vehicle.wheelbase_m * bend)))


@pytest.mark.parametrize('seed', [3])
def test_a_new_plan_does_not_jerk_the_wheel(seed):
    scenario = load_scenario('winding_road').model_copy(update={'duration_s': 15.0})
    drive = Drive(scenario, seed, Restless(load_profile('nano')), Options(latency_steps=1))
    joined, bare = Wheel(drive, joined=True), Wheel(drive, joined=False)
    while not drive.sim.done:
        cycle = drive.step()
        joined.note(cycle)
        bare.note(cycle)
    drive.close()
    for name, wheel in (('joined', joined), ('bare', bare)):
        now, later = (np.percentile(s, 95) for s in (wheel.steps_deg, wheel.later_deg))
        print(f'{name}: {len(wheel.steps_deg)} switches, {wheel.refused} refused, steering step '
              f'p95 {now:.2f} deg, 0.1 s later {later:.2f} deg')  # fmt: skip
    assert min(len(joined.steps_deg), len(bare.steps_deg)) > 80 and joined.refused < 5
    assert np.percentile(joined.steps_deg, 95) <= MOST_DEG < np.percentile(bare.steps_deg, 95)
