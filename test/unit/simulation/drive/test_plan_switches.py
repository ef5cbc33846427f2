"""What the wheel does when one plan follows another, in closed loop: with the join and without."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from drives import TIME

from alpamayo_ros.faults import Fault
from alpamayo_ros.motion.join import place
from alpamayo_ros.motion.splice import Reference, splice
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Drive, Options
from alpamayo_ros.simulation.drive.planners import ExpertPlanner, Planner, open_planner
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
    that a controller receives, ``command``: of the tracker, which looks 3 to 6.5 m ahead,
    ``plain``: the same, had it been given the plan as it is.
    """

    now: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    command: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)

    def p95(self, name: str) -> float:
        """The 95th percentile of one of them [deg]."""
        return float(np.percentile(getattr(self, name), 95))

    def __str__(self) -> str:
        words = ', '.join(f'{n} {self.p95(n):.2f}' for n in ('now', 'later', 'command', 'plain'))
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
            self._note(found, old, now_ns)
            kept, plain = splice(old.plan, old, *given), splice(plan, None, *given)
            if isinstance(kept, Reference) and isinstance(plain, Reference):
                self.wheel.command.append(self._apart(found, kept))
                self.wheel.plain.append(self._apart(plain, kept))
        return self._tracked(found)

    def _note(self, new: Reference, old: Reference, now_ns: int) -> None:
        for steps, at_ns in ((self.wheel.now, now_ns), (self.wheel.later, now_ns + CYCLE_NS)):
            steps.append(abs(self._asked(new, at_ns) - self._asked(old, at_ns)))

    def _apart(self, one: Reference, other: Reference) -> float:
        """How far apart the tracker's commands are [deg]."""
        return abs(float(np.degrees(self._tracked(one)[0] - self._tracked(other)[0])))

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


def driven(
    kind: type[Following], planner: Planner, scene: str = 'winding_road', seconds: float = 10.0
) -> Following:
    scenario = load_scenario(scene).model_copy(update={'duration_s': seconds})
    drive = kind(scenario, 3, planner, Options(latency_steps=1))
    while not drive.sim.done:
        drive.step()
    drive.close()
    print(f'{kind.__name__}, {planner.name}, {scene}: {drive.wheel}, {drive.refused} refused')
    return drive


def test_a_new_plan_does_not_jerk_the_wheel():
    """At the instant and at the next point at most a degree; what is tracked steps less."""
    joined, bare = (driven(kind, Restless(load_profile('nano'))) for kind in (Following, Bare))
    assert min(len(joined.wheel.now), len(bare.wheel.now)) > 60
    assert joined.refused < 4 and joined.sim.outcome.contact == ''
    for name in ('now', 'later'):
        assert joined.wheel.p95(name) <= MOST_DEG < bare.wheel.p95(name)
    assert joined.wheel.p95('command') < 0.75 * bare.wheel.p95('command')


@pytest.mark.slow
@pytest.mark.parametrize(
    ('planner', 'scene', 'seconds'),
    [('expert', 'roundabout_right', 20.0), ('onnx', 'winding_road', 8.0)],
)
def test_between_the_plans_of_a_planner_no_command_steps(planner, scene, seconds):
    """Neither the reference nor what a tracker makes of it; without the join it steps more."""
    opened = open_planner(planner, load_profile('nano'))
    assert not isinstance(opened, Fault)
    wheel = driven(Following, opened, scene, seconds).wheel
    assert len(wheel.command) > 50
    assert max(wheel.p95(name) for name in ('now', 'later', 'command')) <= MOST_DEG
    assert wheel.p95('command') < wheel.p95('plain')
