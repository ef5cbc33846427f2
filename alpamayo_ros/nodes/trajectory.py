"""Node ``trajectory``: calls ``pipeline.decide`` and publishes what it lets out.

Each CandidateArray is decided about once the odometry of its t0 is here.  Free-running, a timer
decides without a proposal, keeps the reference going and notices silence.  In lockstep there is no
timer: each t0 gets one Health, with a plan and its reference or without, at t0 plus a constant.
"""

from __future__ import annotations

import sys
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from alpamayo_ros import pipeline
from alpamayo_ros.causes import chains
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import CandidateArray, FrameSetInfo, StepDone, TrackedObjectArray
from alpamayo_ros.nodes import caps
from alpamayo_ros.nodes.awareness import Awareness
from alpamayo_ros.nodes.common import convert, presence, qos
from alpamayo_ros.nodes.common.audit import Audit
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.common.guards import Guards, inputs
from alpamayo_ros.nodes.common.node import AlpamayoNode, run
from alpamayo_ros.nodes.joins import Turns
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.nodes.lockstep.step_queue import Announced
from alpamayo_ros.nodes.messages import plans
from alpamayo_ros.nodes.messages.trajectory_topics import TrajectoryTopics
from alpamayo_ros.nodes.references import References
from alpamayo_ros.parameters.of_nodes import TRAJECTORY
from alpamayo_ros.safety import state as safety
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import Proposal
from alpamayo_ros.units import NS

STILL_S = 0.8  # a clock that has not moved for so long stands
LOOK_S = 0.4  # how often twins and misfits are looked for on the graph
ABSENT = frozenset({'MODEL_ABSENT', 'MODEL_KILLED', 'MODEL_RESPAWNS', 'MODEL_FAILING'})


class TrajectoryNode(AlpamayoNode):
    """Holds the state of the safety machine between calls."""

    def __init__(self) -> None:
        super().__init__('trajectory', TRAJECTORY)
        s = self.settings
        self.config = PlanConfig.from_files(
            s.profile, s.limits or None, s.rig, period_s=s.period_s, auto_arm=s.auto_arm,
            auto_rearm=s.auto_rearm, coc_degrades=s.coc_degrades,
        )  # fmt: skip
        self.state = safety.SafetyState()
        self._rig = load_rig(s.rig)
        self.frames = (self._rig.odometry.frame_id, self._rig.odometry.child_frame_id)
        self.aware = Awareness(self.config.profile, s.lockstep, s.objects_expected, self.frames)
        self.counters = plans.Counters()
        self.origin = plans.Origin(shadow=s.shadow, odom_frame=self.frames[0])
        self._pending: dict[int, CandidateArray] = {}
        self._turns = Turns()
        self._references = References(self.config.vehicle, self.config.limits)
        self._takeover: Fault | None = None
        self._still: Fault | None = None
        self._present: list[Fault] = []  # at the newest decision, as far as the state hears them
        self._checked_ns = -1
        self._open_topics()
        self._caps = caps.Caps(self, self.config)

    def _open_topics(self) -> None:
        s, subscribe = self.settings, qos.watched_subscription
        out = qos.output(s.lockstep)
        rig = self._rig
        self.topics = TrajectoryTopics(self, s.lockstep, s.shadow, self.config, rig.vehicle)
        if s.lockstep:
            self.steps = StepInputs(self, self._on_step)
            self.steps.subscribe(Odometry, rig.odometry.topic, self._on_odometry)
            if s.objects_expected:
                self.steps.subscribe(TrackedObjectArray, 'objects', self._on_objects)
        else:
            sensor = qos.sensor(False, 50, s.reliable_inputs)
            subscribe(self, Odometry, rig.odometry.topic, self._on_odometry, sensor)
            if s.objects_expected:
                subscribe(self, TrackedObjectArray, 'objects', self._on_objects, out)
        subscribe(self, CandidateArray, 'candidates', self._on_candidates, out)
        subscribe(self, FrameSetInfo, 'frame_set_info', self._on_frames, out)
        subscribe(self, Bool, 'takeover', self._on_takeover, qos.output(False))
        for name in ('arm', 'disarm', 'rearm'):
            self.create_service(Trigger, f'~/{name}', getattr(self, f'_on_{name}'))
        self._presence = presence.Presence(self, presence.DRIVERS)
        self._audit = Audit(self)
        cameras = rig.for_profile(self.config.profile)
        watched = inputs(self, rig, cameras, s.objects_expected)
        self._endpoints = Guards(self, (*self.topics.guarded, *watched))
        self._replies = self.resolve_topic_name('candidates')
        if not s.lockstep:
            self.create_timer(s.reference_s, self._on_timer)
            wall = Clock(clock_type=ClockType.STEADY_TIME)
            self.create_timer(STILL_S, self._check_clock, clock=wall)
            self.create_timer(LOOK_S, self._endpoints.glance, clock=wall)
            self.create_timer(presence.LOOK_S, self._presence.look, clock=wall)

    # -- inputs ---------------------------------------------------------------------------------
    def _on_odometry(self, message: Odometry) -> None:
        now_ns = None if self.settings.lockstep else self.now_ns
        given = (self.frames, self.limits, now_ns, self._rig.odometry.ahead_of_rear_axle_m)
        self.aware.odometry(convert.ego_state(message, *given))
        self._decide_pending()

    def _on_objects(self, message: TrackedObjectArray) -> None:
        self.aware.objects(message)
        self._decide_pending()

    def _on_frames(self, message: FrameSetInfo) -> None:
        self.aware.heard('camera_sync', self.now_ns)
        self.aware.frames(message)
        if self.settings.lockstep:
            self._turns.add(ns(message.header.stamp), message.step)
            self._decide_pending()

    def _on_step(self, step: Announced, done: StepDone) -> None:
        self._decide_pending()

    def _on_candidates(self, message: CandidateArray) -> None:
        if not self.settings.lockstep and self._endpoints.crowded(self._replies):
            self._endpoints.look()  # before a stranger's proposal is decided about
        self.aware.heard('planner', self.now_ns)
        cycle_s = self.aware.reply(message)
        self.counters.deadline_misses += cycle_s is not None and cycle_s > self.settings.period_s
        self.counters.worker(not ABSENT & set(message.faults))
        self.origin.runtime, self.origin.manifest_hash = message.runtime, message.manifest_hash
        self.origin.view_mask = message.view_mask
        self._pending[ns(message.header.stamp)] = message
        self._decide_pending()

    def _on_takeover(self, message: Bool) -> None:
        changed = bool(message.data) != (self._takeover is not None)
        self._takeover = Fault(Code.TAKEOVER) if message.data else None
        if message.data:
            self.state = safety.disarm(self.state, self.now_ns, 'the driver has taken over')
        if changed:
            said = 'takeover' if message.data else 'end of takeover'
            self._audit.told(said, 'takeover', self.state.mode.name)

    def _on_arm(self, request: Any, response: Any) -> Any:
        if self._takeover is not None:
            return self._answer('arm', response, False, 'the driver has taken over')
        self.state = safety.arm(self.state, self.now_ns)
        done, waits = self.state.mode in safety.DRIVING, self.state.mode is safety.Mode.INIT
        because = next((str(chain) for chain in chains(self._present) if waits), '')
        return self._answer('arm', response, done, because)

    def _on_disarm(self, request: Any, response: Any) -> Any:
        self.state = safety.disarm(self.state, self.now_ns)
        return self._answer('disarm', response, self.state.mode is not safety.Mode.FAULT)

    def _on_rearm(self, request: Any, response: Any) -> Any:
        self.state = safety.rearm(self.state)
        return self._answer('rearm', response, self.state.mode is safety.Mode.FALLBACK)

    def _answer(self, verb: str, response: Any, done: bool, because: str = '') -> Any:
        response.success = done
        response.message = f'{self.state.mode.name}: {because or self.state.reason}'
        self._audit.asked(verb, f'{"done" if done else "refused"}, {response.message}')
        return response

    # -- deciding -------------------------------------------------------------------------------
    @property
    def now_ns(self) -> int:
        """Time of the node's clock."""
        return self.get_clock().now().nanoseconds

    def _decide_pending(self) -> None:
        """Decide about every reply whose odometry (in lockstep: whose step) is here."""
        while (t0_ns := self._due()) is not None:
            message = self._pending.pop(t0_ns)
            self._decide(t0_ns, message if message.status == CandidateArray.PROPOSED else None)

    def _due(self) -> int | None:
        if self.settings.lockstep:
            return self._turns.next(self._pending, self.steps.step)
        t0_ns = min(self._pending, default=None)
        if t0_ns is None or self._pending[t0_ns].status != CandidateArray.PROPOSED:
            return t0_ns
        return t0_ns if self.aware.covers(t0_ns, len(self._pending)) else None

    def _decide(self, t0_ns: int, message: CandidateArray | None) -> None:
        """One call of ``decide`` for a reply of the planner."""
        lockstep = self.settings.lockstep
        now_ns = t0_ns + round(self.settings.lockstep_latency_s * NS) if lockstep else self.now_ns
        proposal: Proposal | None = None
        self.aware.frame_age_s = None if message is None else message.frame_age_s
        if message is not None:
            found = convert.proposal(message, self.config.profile.trajectory.dt_s)
            if isinstance(found, Fault):
                self.aware.add(found)
            else:
                proposal = found
            self.origin.t0_ns = t0_ns
        scene = self._scene(t0_ns if proposal else None, t0_ns if lockstep else None)
        self._conclude(proposal, scene, now_ns, t0_ns, message)

    def _scene(self, t0_ns: int | None, observed_ns: int | None) -> Scene:
        silent = self.aware.silent(self.now_ns, self.settings.silence_s)
        lost = self._presence.fault
        extra = (*self._endpoints.faults, lost, self._still, silent, self._takeover)
        return self.aware.scene(t0_ns, observed_ns, extra)

    def _conclude(
        self,
        proposal: Proposal | None,
        scene: Scene,
        now_ns: int,
        t0_ns: int,
        message: CandidateArray | None,
    ) -> None:
        """Decide, publish plan, reference, what is shown and Health in this order, remember."""
        given = (proposal, scene, self.state, self._caps.config, now_ns)
        decision = pipeline.decide(*given)
        self.topics.decision(*given, decision)
        self.state = decision.state
        if any(f.code is Code.CLOCK_BACK for f in decision.faults):
            self._restart()
        self.origin.published_ns = now_ns
        judged = decision.judgement
        costs = judged.costs if judged else None
        self.origin.objects_used = costs is not None and costs.collision is not None
        sent = None
        if decision.plan is not None:
            model = decision.plan.source == 'model'
            self.counters.plans += model
            self.counters.stops += not model
            sent = plans.plan_message(decision.plan, decision, self.origin)
            self._references.follow(decision.plan, sent)
            self.topics.plan(sent)
        elif t0_ns:
            self.counters.refusals += 1
        if decision.plan is not None or not self.settings.lockstep:
            at_ns = t0_ns if self.settings.lockstep else now_ns
            self.topics.reference(self._references.at(scene.ego_now, at_ns))
            self.aware.add(self._references.fault)
        if sent is not None:
            self.topics.show(sent, decision, scene)
        ages = {**self.aware.seen_ns, 'frames': t0_ns or None, 'now': now_ns}
        health = plans.health_message(decision, self.counters, self.origin)
        self.topics.health(health, t0_ns, ages, message, self.settings.lockstep)
        unheard = safety.ABOUT_PLANS if self.state.mode <= safety.Mode.READY else ()
        self._present = [f for f in decision.faults if f.code not in unheard]
        told = {f.code.name: str(f) for f in self._present}
        self.faults.update(told, self.state.mode is safety.Mode.INIT and not self.state.plan_id)

    def _restart(self) -> None:
        """Forget what belongs to another time: the clock stepped back."""
        self.aware.restart()
        self._references.clear()
        if not self.settings.lockstep:
            self._pending.clear()

    # -- free-running ---------------------------------------------------------------------------
    def _on_timer(self) -> None:
        """Decide without a proposal: stops go on, a plan that runs out is noticed."""
        now_ns = self.now_ns
        if now_ns == 0:
            return  # simulated time has not begun
        self._conclude(None, self._scene(None, None), now_ns, 0, None)

    def _check_clock(self) -> None:
        """A clock that stands still: then the timer does not run."""
        now_ns = self.now_ns
        stands = now_ns == self._checked_ns
        self._checked_ns = now_ns
        self._still = Fault(Code.CLOCK, f'It stands at {now_ns / NS:.3f} s.') if stands else None
        if stands:
            self._conclude(None, self._scene(None, None), now_ns, 0, None)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros trajectory``."""
    return run(TrajectoryNode)


if __name__ == '__main__':
    sys.exit(main())
