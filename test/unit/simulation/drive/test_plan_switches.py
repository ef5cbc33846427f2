"""What the wheel does when one plan follows another, in closed loop: with the join and without."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from drives import TIME

from alpamayo_ros.faults import Fault
from alpamayo_ros.motion.join import place
from alpamayo_ros.motion.splice import Reference, splice
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Drive, Options
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.tracker import EXPIRED_MPS2, Anchor, follow
from alpamayo_ros.simulation.tracker import Reference as Points
from alpamayo_ros.types import PlannerInput, Proposal

POINT_M, ASIDE_MPS = 0.04, 0.1  # noise of each waypoint; drift of a whole proposal to one side
MOST_DEG, CYCLE_NS = 1.0, 100_000_000


class Restless(ExpertPlanner):
    """The expert with a model's noise: every point, and every proposal as a whole."""

    def propose(self, inputs: PlannerInput) -> Proposal:
        proposal = super().propose(inputs)
        rng = np.random.default_rng(inputs.t0_ns // 1_000_000)
        scale = [POINT_M, POINT_M, POINT_M / 2]
        moved = proposal.candidates + rng.normal(size=proposal.candidates.shape) * scale
        moved[..., 1] += rng.normal() * ASIDE_MPS * TIME
        return replace(proposal, candidates=moved.astype(np.float32))


@dataclass
class Wheel:
    """Change of the front wheels [deg] as a plan takes over, at the same instant and place.

    ``now``: steering of the reference at the instant, ``later``: a cycle on, at the first point
    that a controller receives, ``command``: of the tracker, which looks 3 to 6.5 m ahead.
    """

    now: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    command: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        at = {name: np.percentile(getattr(self, name), 95) for name in ('now', 'later', 'command')}
        words = ', '.join(f'{name} {value:.2f}' for name, value in at.items())
        return f'{len(self.now)} switches, steering step p95 [deg]: {words}'


class Following(Drive):
    """Follows the reference as in the graph; each plan is joined to the one before, or not."""

    joined = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.wheel, self.refused = Wheel(), 0
        self._driven: Reference | None = None

    def _command(self, now_ns: int) -> tuple[float, float]:
        plan, old, ego = self.plan, self._driven, replace(self.sim.ego, stamp_ns=now_ns)
        given = (ego, now_ns, self.config.vehicle, self.config.limits)
        self._driven = None
        if plan is None or now_ns >= plan.valid_until_ns:
            return ego.steering_rad, EXPIRED_MPS2
        again = old is not None and old.plan.id == plan.id
        found = splice(plan, old if self.joined or again else None, *given)
        if isinstance(found, Fault):  # the graph brakes then, and begins anew
            self.refused += 1
            return ego.steering_rad, EXPIRED_MPS2
        self._driven = found
        if old is not None and not again and ego.speed_mps > 1.0:
            self._note(found, old, splice(old.plan, old, *given), now_ns)
        return self._tracked(found)

    def _note(self, new: Reference, old: Reference, kept: Reference | Fault, now_ns: int) -> None:
        for steps, at_ns in ((self.wheel.now, now_ns), (self.wheel.later, now_ns + CYCLE_NS)):
            steps.append(abs(self._asked(new, at_ns) - self._asked(old, at_ns)))
        if isinstance(kept, Reference):
            step = self._tracked(new)[0] - self._tracked(kept)[0]
            self.wheel.command.append(abs(float(np.degrees(step))))

    def _asked(self, reference: Reference, at_ns: int) -> float:
        """Angle of the front wheels [deg] that a reference has at an instant."""
        bend = place(reference.plan, reference.join, at_ns).curvature_1pm
        return float(np.degrees(np.arctan(self.config.vehicle.wheelbase_m * bend)))

    def _tracked(self, reference: Reference) -> tuple[float, float]:
        t, a = reference.trajectory, reference.anchor
        points, anchor = Points(t.x_m, t.y_m, t.dt_s), Anchor(a.x_m, a.y_m, a.heading_rad)
        return follow(points, anchor, self.sim.pose, 0.0, self.sim.vehicle)


class Bare(Following):
    """Takes each plan as it is."""

    joined = False


def driven(kind: type[Following]) -> Following:
    scenario = load_scenario('winding_road').model_copy(update={'duration_s': 10.0})
    drive = kind(scenario, 3, Restless(load_profile('nano')), Options(latency_steps=1))
    while not drive.sim.done:
        drive.step()
    drive.close()
    print(f'{kind.__name__}: {drive.wheel}, {drive.refused} refused')
    return drive


def test_a_new_plan_does_not_jerk_the_wheel():
    """At the instant and at the next point at most a degree; what is tracked steps less."""
    joined, bare = driven(Following), driven(Bare)
    assert min(len(joined.wheel.now), len(bare.wheel.now)) > 60
    assert joined.refused < 4 and joined.sim.outcome.contact == ''
    for name in ('now', 'later'):
        with_join, without = (getattr(drive.wheel, name) for drive in (joined, bare))
        assert np.percentile(with_join, 95) <= MOST_DEG < np.percentile(without, 95)
    tracked, untracked = (np.percentile(d.wheel.command, 95) for d in (joined, bare))
    assert tracked < 0.75 * untracked
