"""A car that follows what decide lets out, and a runtime that records what it was asked."""

from dataclasses import dataclass, field, replace

import numpy as np
from drives import DT, SECOND, ego, noisy, truth

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion.plan import sample, to_odom
from alpamayo_ros.pipeline import (
    PlanConfig,
    SafetyState,
    Scene,
    decide,
)
from alpamayo_ros.runtime.base import Identity
from alpamayo_ros.types import (
    Conditioning,
    EgoHistory,
    EgoState,
    FrameStack,
    PlannerInput,
    Proposal,
    Reasoning,
)

STEP = SECOND // 10
LATENCY = SECOND // 10
SHIPPED = PlanConfig.from_files(auto_arm=True, auto_rearm=True)
QUICK = SHIPPED.limits.model_copy(update={'init_valid_s': 0.2})  # READY after three cycles
CONFIG = replace(SHIPPED, limits=QUICK)
ABSENT = (Fault(Code.MODEL_ABSENT),)


@dataclass
class Loop:
    """A car that follows the newest plan exactly; ``raw`` makes candidates from (ego, cycle)."""

    speed: float = 8.0
    config: PlanConfig = CONFIG
    state: SafetyState = field(default_factory=SafetyState)
    cycle: int = 0
    decisions: list = field(default_factory=list)

    def __post_init__(self):
        self.ego = ego(self.speed)
        self.plan = None

    def run(self, cycles, raw=None, **scene):
        for _ in range(cycles):
            self.step(raw, **scene)
        return self.decisions[-1]

    def step(self, raw=None, **scene):
        t0 = self.cycle * STEP
        poses = truth(self.ego.speed_mps)[0] if raw is None else raw
        if callable(raw):
            poses = raw(self.ego, self.cycle)
        candidates = None
        if poses is not False:
            candidates = poses if poses.ndim == 3 else noisy(poses, 0.02, self.cycle)
        proposal = None if candidates is None else Proposal(t0, candidates, 'x')
        here = replace(self.ego, stamp_ns=t0)
        world = {'ego': here, 'ego_now': here, 'observed_ns': t0} | scene
        decision = self.decide(proposal, Scene(**world), t0 + LATENCY)
        self.state = decision.state
        self.decisions.append(decision)
        self.plan = decision.plan or self.plan
        self.cycle += 1
        self._move(t0 + STEP)

    def decide(self, proposal, scene, now_ns):
        return decide(proposal, scene, self.state, self.config, now_ns)

    def _move(self, now):
        if self.plan is None or now > self.plan.valid_until_ns:
            moved = to_odom(np.array([self.ego.speed_mps * DT, 0.0, 0.0]), self.ego)
            self.ego = EgoState(now, *moved.tolist(), self.ego.speed_mps, 0.0, 0.0, 0.0)
            return
        t, anchor = self.plan.trajectory, self.plan.anchor
        at = sample(t, anchor, np.array([(now - self.plan.t0_ns) * 1e-9]))
        pose = to_odom(np.array([at['x_m'][0], at['y_m'][0], at['heading_rad'][0]]), anchor)
        speed, bend = float(at['speed_mps'][0]), float(at['curvature_1pm'][0])
        steering = float(np.arctan(2.7 * bend))
        self.ego = EgoState(now, *pose.tolist(), speed, speed * bend, 0.0, steering)

    @property
    def modes(self):
        return [d.state.mode for d in self.decisions]

    @property
    def plans(self):
        return [d.plan for d in self.decisions if d.plan is not None]


def invariants(loop):
    """I1 finite, I2 fresh, I3 stamps increase; every decision has its health."""
    for decision in loop.decisions:
        plan = decision.plan
        if plan is not None:
            t = plan.trajectory
            assert all(np.isfinite(c).all() for c in (t.x_m, t.y_m, t.speed_mps, t.steering_rad))
            assert 0 <= decision.health.stamp_ns - plan.t0_ns <= SECOND // 2
            assert plan.valid_until_ns > plan.t0_ns
    stamps = [p.t0_ns for p in loop.plans]
    assert stamps == sorted(set(stamps))
    assert [d.health.sequence for d in loop.decisions] == list(range(1, len(loop.decisions) + 1))


class Fake:
    """A runtime that records what it was asked."""

    identity = Identity('fake', 'a file of its own')
    profile = CONFIG.profile

    def __init__(self, text='perception: a road', ids=(1, 2)):
        self.reasoning = Reasoning(text, tuple(ids), 'condition')
        self.asked = {}

    def encode(self, frames):
        self.asked['frames'] = frames
        return 'features'

    def reason(self, *inputs):
        self.asked['reason'] = inputs
        return self.reasoning

    def reset(self):
        self.asked = {}

    warm_up = close = reset

    def denoise(self, condition, start):
        self.asked['denoise'] = (condition, start)
        return start * 2


def inputs(seed=0):
    frames = FrameStack(
        5, np.zeros((4, 7, 2, 2, 3), np.uint8), np.zeros((4, 7)), np.ones((4, 7), bool)
    )
    one = np.zeros(16)
    history = EgoHistory(5, np.zeros((16, 3)), one, one, one, one, np.ones(16, bool))
    given = Conditioning(history, 'turn left', 'slowly', 'intent: go')
    return PlannerInput(5, frames, given, seed)
