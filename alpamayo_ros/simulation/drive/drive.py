"""One drive in a closed loop without ROS, through the very functions that a vehicle runs.

    pictures -> views -> ring -> propose -> decide -> tracker -> step

Lockstep: the world waits for the plan, and the latency is a configured number.  The same scenario,
seed and planner give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import load_limits
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.pipeline import Decision, PlanConfig, SafetyState, decide
from alpamayo_ros.safety.scene import build_scene, decisive
from alpamayo_ros.simulation.drive.faulty_sensors import open_sensors
from alpamayo_ros.simulation.drive.planners import Planner
from alpamayo_ros.simulation.drive.sensors import Sensors
from alpamayo_ros.simulation.drive.verdict import Row, row
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.sim_rig import sim_rig
from alpamayo_ros.simulation.tracker import EXPIRED_MPS2, Anchor, Reference, follow
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import STEP_NS, Simulation
from alpamayo_ros.types import EgoState, PlannerInput, Proposal, TrackedObject

Objects = Literal['none', 'truth']


@dataclass(frozen=True, slots=True)
class Options:
    """``objects``: what ``decide`` is told of others, nothing or the simulator's truth.

    ``latency_steps``: how many steps of 0.1 s after its t0 a plan arrives.
    """

    objects: Objects = 'none'
    latency_steps: int = 0
    prompt: str = ''


@dataclass(frozen=True, slots=True)
class Cycle:
    """Everything about one step of 0.1 s, for recordings and tests."""

    now_ns: int
    ego: EgoState
    inputs: PlannerInput | Fault
    proposal: Proposal | None
    decision: Decision
    command: tuple[float, float]


@dataclass(slots=True)
class _Waiting:
    """A proposal on its way, with the world as it was at its t0."""

    proposal: Proposal
    ego: EgoState
    objects: tuple[TrackedObject, ...] | None
    frame_age_s: float
    due_ns: int


@dataclass(slots=True)
class Drive:
    """A drive in progress; ``step`` makes one cycle, until ``sim.done``.

    ``pictures``: they can be drawn even for a planner that looks at none, for a recording.
    ``looked``: called in every cycle when its pictures are taken, before anybody plans.
    """

    scenario: Scenario
    seed: int
    planner: Planner
    options: Options = field(default_factory=Options)
    pictures: bool = False
    sim: Simulation = field(init=False)
    sensors: Sensors = field(init=False)
    config: PlanConfig = field(init=False)
    state: SafetyState = field(init=False, default_factory=SafetyState)
    plan: Plan | None = field(init=False, default=None)
    looked: Callable[[], None] | None = field(init=False, default=None)
    model_plans: int = field(init=False, default=0)
    stop_plans: int = field(init=False, default=0)
    first_plan_s: float | None = field(init=False, default=None)
    _said: tuple[str, int] = field(init=False, default=('', 0))
    _waiting: list[_Waiting] = field(init=False, default_factory=list)
    _faults: tuple[Fault, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Build the world and put the ego at its start."""
        self.sim = open_world(self.scenario, self.seed, self.pictures or not self.planner.blind)
        profile = self.planner.profile
        self.sensors = open_sensors(self.sim, profile, self.planner.blind)
        vehicle, limits = sim_rig().vehicle, load_limits()
        self.config = PlanConfig(profile, limits, vehicle, auto_arm=True, auto_rearm=True)
        self.planner.begin(self.sim)

    def step(self) -> Cycle:
        """Look, propose, decide, follow, and let 0.1 s pass."""
        now = self.sensors.now_ns
        ego = replace(self.sim.ego, stamp_ns=now)
        self.sensors.look()
        if self.looked is not None:
            self.looked()
        inputs = self.sensors.inputs(self.seed, self._said, self.options.prompt)
        if isinstance(inputs, PlannerInput):
            answer = self.sensors.answer(self.planner.propose(inputs))
            if isinstance(answer, Proposal):
                self._send(answer, ego, inputs.frames.oldest_s)
            elif answer is not None:
                inputs = answer
        decision, arrived = self._decide(inputs, ego)
        command = self._command(now)
        self._faults = self.sensors.step(*command)
        return Cycle(now, ego, inputs, arrived, decision, command)

    def _send(self, proposal: Proposal, ego: EgoState, age_s: float) -> None:
        """A proposal on its way, with the world of now."""
        self._said = proposal.newest_words()
        due_ns = self.sim.now_ns + self.options.latency_steps * STEP_NS
        self._waiting.append(_Waiting(proposal, ego, self._objects(), age_s, due_ns))

    def _objects(self) -> tuple[TrackedObject, ...] | None:
        return tuple(self.sim.objects()) if self.options.objects == 'truth' else None

    def _decide(
        self, inputs: PlannerInput | Fault, ego: EgoState
    ) -> tuple[Decision, Proposal | None]:
        """``decide`` with the proposal that is due, else without one."""
        now, why = self.sensors.now_ns, inputs if isinstance(inputs, Fault) else None
        upstream = (*self._faults, *decisive(self.sensors.said), why)
        ready = self._waiting and self._waiting[0].due_ns <= self.sim.now_ns
        due = self._waiting.pop(0) if ready else None
        then, objects = (ego, None) if due is None else (due.ego, due.objects)
        age_s = None if due is None else due.frame_age_s
        scene = build_scene(then, ego, objects, upstream, frame_age_s=age_s)
        proposal = None if due is None else due.proposal
        decision = decide(proposal, scene, self.state, self.config, now)
        self.state = decision.state
        if decision.plan is not None:
            self._take(decision.plan)
        return decision, proposal

    def _take(self, plan: Plan) -> None:
        self.plan = plan
        if plan.source == 'fallback':
            self.stop_plans += 1
            return
        self.model_plans += 1
        if self.first_plan_s is None:
            self.first_plan_s = self.sim.now_ns / 1e9

    def _command(self, now_ns: int) -> tuple[float, float]:
        """Steering and acceleration: the plan while it is valid, else the brake."""
        pose, plan = self.sim.pose, self.plan
        if plan is None:
            return pose.steering_rad, EXPIRED_MPS2
        a, t = plan.anchor, plan.trajectory
        reference = Reference(np.asarray(t.x_m), np.asarray(t.y_m), t.dt_s)
        elapsed_s, expired = (now_ns - plan.t0_ns) * 1e-9, now_ns > plan.valid_until_ns
        anchor = Anchor(a.x_m, a.y_m, a.heading_rad)
        return follow(reference, anchor, pose, elapsed_s, self.sim.vehicle, expired)

    def close(self) -> None:
        """Release world and sensors."""
        self.sensors.close()
        self.sim.close()

    def row(self) -> Row:
        """The figures of the finished drive."""
        plans = (self.model_plans, self.stop_plans)
        return row(self.scenario, self.sim.outcome, self.sim.has_lead, plans, self.first_plan_s)


def rollout(
    scenario: Scenario,
    seed: int,
    planner: Planner,
    options: Options | None = None,
    watch: Callable[[Cycle], None] | None = None,
) -> Row:
    """Drive one seed to its end; ``watch`` sees every cycle."""
    drive = Drive(scenario, seed, planner, options or Options())
    while not drive.sim.done:
        cycle = drive.step()
        if watch is not None:
            watch(cycle)
    drive.close()
    return drive.row()
