"""One t0 of a replay: views -> ring -> propose -> decide, through the functions of the live nodes.

Open loop: the car is where the recording says, whatever was planned.  Time is that of lockstep:
the plan comes ``latency_s`` after its t0, and how long the machine took changes no plan.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from alpamayo_ros import pipeline
from alpamayo_ros.faults import Fault
from alpamayo_ros.pipeline import Decision, PlanConfig, SafetyState
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.instructed import Instructed
from alpamayo_ros.replay.intake import DecodedStep, Found
from alpamayo_ros.replay.motion import Ego
from alpamayo_ros.runtime.base import Runtime, words_after
from alpamayo_ros.runtime.timed import TimedRuntime, add_up
from alpamayo_ros.safety.scene import build_scene, decisive
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.sensing.view_pipeline import Pending, ViewPipeline
from alpamayo_ros.types import Conditioning, EgoHistory, EgoState, FrameSet, PlannerInput, Proposal
from alpamayo_ros.units import NS

LATENCY_S = 0.08  # as lockstep_latency_s of the trajectory node


@dataclass(frozen=True, slots=True)
class Cycle:
    """Everything about one t0.  ``faults``: why there is no proposal, or what spoke against it.

    ``frames`` None: no set.  ``decision`` None: no model takes part.  ``stage_ms``: milliseconds
    of each stage on this machine.
    """

    t0_ns: int
    now_ns: int
    ego: EgoState | None
    frames: FrameSet | None
    pending: Pending | None
    held: int
    faults: tuple[Fault, ...]
    proposal: Proposal | None
    decision: Decision | None
    navigation: str
    stage_ms: Mapping[str, float]


@dataclass(slots=True)
class Cycler:
    """The consumer's side of a replay, in the order of time."""

    profile: ModelProfile
    config: PlanConfig
    views: ViewPipeline
    ego: Ego
    runtime: Runtime | None
    seed: int = 0
    state: SafetyState = field(default_factory=SafetyState)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    words: Instructed = field(default_factory=Instructed)
    unused: list[Fault] = field(default_factory=list)
    _ring: FrameRing = field(default_factory=FrameRing)
    _text: str = ''
    _text_t0_ns: int = 0
    _refused: list[Fault] = field(default_factory=list)
    _timed: TimedRuntime | None = None

    def __post_init__(self) -> None:
        """Time the stages of the runtime; read routes in the frames of the odometry."""
        self._timed = None if self.runtime is None else TimedRuntime(self.runtime)
        self.words.place(self.ego.source)

    def cycles(self, step: DecodedStep) -> list[Cycle]:
        """What the step's sets and losses become; its other messages count first."""
        for other in step.others:
            role, message = other.source.role, other.message
            if role == 'odometry':
                self.ego.odometry(message)
                self.words.pass_time(self._now_ns, self.ego.newest)
            elif role == 'imu':
                self._refuse(self.ego.imu(message))
            elif role == 'steering':
                self._refuse(self.ego.steering(message))
            else:
                self.words.take(role, message, self._now_ns)
        self._refused += step.refused
        done = [self._cycle(found, step) for found in step.found]
        return [cycle for cycle in done if cycle is not None]

    def _refuse(self, fault: Fault | None) -> None:
        """Keep why a message was not used, for the summary."""
        self.unused += [] if fault is None else [fault]

    @property
    def _now_ns(self) -> int:
        """Time of the newest odometry."""
        return 0 if self.ego.newest is None else self.ego.newest.stamp_ns

    def _cycle(self, found: Found, step: DecodedStep) -> Cycle | None:
        if found.jump:
            self.views.suspicion.reset()
        if found.t0_ns is None:
            self._refused += found.faults
            return None
        t0_ns = found.t0_ns
        frames, faults = self._frames(found)
        began = time.perf_counter()
        ego = self.ego.at(t0_ns)
        history = self.ego.history(t0_ns)
        stale = [] if self.ego.fault is None else [self.ego.fault]
        inputs = self._inputs(t0_ns, frames, history) if frames is not None else None
        self.seconds['motion'] += time.perf_counter() - began
        proposal: Proposal | None = None
        age_s: float | None = None
        stages: dict[str, float] = {}
        if self._timed is not None and isinstance(inputs, PlannerInput):
            proposal, stages = self._propose(inputs, self._timed)
            age_s = inputs.frames.oldest_s
        elif isinstance(inputs, Fault):
            faults = [inputs, *faults]
        upstream = (*faults, *stale)
        decision = None
        if self._timed is not None:
            decision, stages['decide'] = self._decide(t0_ns, proposal, upstream, age_s)
        return Cycle(
            t0_ns, step.end_ns, ego, frames, found.pending,
            0 if found.pending is None else sum(found.pending.matched.held), upstream, proposal,
            decision, self.words.navigation(t0_ns), stages,
        )  # fmt: skip

    def _frames(self, found: Found) -> tuple[FrameSet | None, list[Fault]]:
        """The set of t0 in the ring; else the faults, those of refused pictures among them."""
        began = time.perf_counter()
        seen = [*found.faults, *found.watched]
        refused, self._refused = self._refused, []
        if found.pending is None:
            return None, [*seen, *refused]
        frames, faults = self.views.finish(found.pending, self.ego.speed_mps)
        self.seconds['wait'] += time.perf_counter() - began
        if frames is None:
            return None, [*faults, *seen, *refused]
        self._ring.push(frames)
        return frames, [*faults, *seen, *decisive(refused)]

    def _inputs(
        self, t0_ns: int, frames: FrameSet, history: EgoHistory | Fault
    ) -> PlannerInput | Fault:
        """What the planner node would hand to the model, or why it would not."""
        if isinstance(history, Fault):
            return history
        stack = self._ring.stack(t0_ns, self.profile)
        if isinstance(stack, Fault):
            return stack
        navigation, prompt = self.words.navigation(t0_ns), self.words.prompt(t0_ns)
        given = Conditioning(history, navigation, prompt, self._text, self._text_t0_ns)
        return PlannerInput(t0_ns, stack, given, self.seed)

    def _propose(
        self, inputs: PlannerInput, runtime: TimedRuntime
    ) -> tuple[Proposal, dict[str, float]]:
        began = time.perf_counter()
        proposal = pipeline.propose(inputs, runtime)
        wall_ms = (time.perf_counter() - began) * 1e3
        proposal = replace(proposal, later=words_after(runtime))
        self._text, self._text_t0_ns = proposal.newest_words()
        self.seconds['propose'] += wall_ms / 1e3
        return proposal, add_up(runtime.stage_ms, wall_ms)

    def _decide(
        self,
        t0_ns: int,
        proposal: Proposal | None,
        faults: tuple[Fault, ...],
        age_s: float | None,
    ) -> tuple[Decision, float]:
        """``decide`` as the trajectory node calls it in lockstep."""
        began = time.perf_counter()
        newest = self.ego.newest
        ego = newest if proposal is None else self.ego.at(t0_ns)
        scene = build_scene(ego, newest, upstream=faults, frame_age_s=age_s, observed_ns=t0_ns)
        now_ns = t0_ns + round(LATENCY_S * NS)
        decision = pipeline.decide(proposal, scene, self.state, self.config, now_ns)
        self.state = decision.state
        spent = time.perf_counter() - began
        self.seconds['decide'] += spent
        return decision, spent * 1e3


def armed(config: PlanConfig) -> PlanConfig:
    """Nobody arms in a replay."""
    return replace(config, auto_arm=True, auto_rearm=True)
