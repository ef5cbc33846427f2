"""Node ``planner`` (lifecycle): the model's cycle, started by data, run in a child process.

Exactly one CandidateArray answers every t0 it takes up: proposed, refused or dropped.  Free-
running, it takes the newest set and counts the ones it skips; in lockstep it takes every one.
rclpy never waits for the model: ``Worker`` rings a guard condition when there is news.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.lifecycle.node import LifecycleState

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import (
    CandidateArray,
    DrivingPrompt,
    EgoHistory,
    FrameSet,
    FrameSetInfo,
    NavInstruction,
    StepDone,
)
from alpamayo_ros.nodes import replies, worker_spec
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.autostart import AutostartNode
from alpamayo_ros.nodes.common.convert import codes, ns
from alpamayo_ros.nodes.common.gpu_watch import GpuWatch
from alpamayo_ros.nodes.common.node import configure, run
from alpamayo_ros.nodes.joins import Cycle, Joiner, StepInstructions
from alpamayo_ros.parameters.of_nodes import PLANNER
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.process.worker import Worker
from alpamayo_ros.sensing.instructions import Instructions
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT, MAX_PROMPT
from alpamayo_ros.sensing.ring import FrameRing
from alpamayo_ros.types import Conditioning, PlannerInput, Proposal
from alpamayo_ros.units import NS


class PlannerNode(AutostartNode):
    """Joins frame sets and histories by stamp, feeds the worker, publishes what comes back."""

    worker: Worker | None = None

    def __init__(self) -> None:
        super().__init__('planner', automatically_declare_parameters_from_overrides=True)
        self.settings, self.limits, self.faults = configure(self, PLANNER)
        worker_spec.check_runtime(self.settings)
        self._gpus = GpuWatch(self, self.limits) if self.settings.watch_gpus else None
        self._active = False
        self._news = self.create_guard_condition(self._on_news)
        if self.settings.autostart:
            self.by_itself(self.trigger_configure)

    # -- lifecycle ------------------------------------------------------------------------------
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the child and open the topics; the model is warm later."""
        self.profile = load_profile(self.settings.profile)
        self._ring, self._joiner = FrameRing(), Joiner(keep_all=self.settings.lockstep)
        self._step_instructions = StepInstructions()
        self._navigation, self._prompt = Instructions(FOLLOW_TEXT), Instructions('', MAX_PROMPT)
        self._flying: Cycle | None = None
        self._open_topics()
        spec = worker_spec.worker_spec(self.settings, self.profile, self.limits)
        self.worker = Worker(spec, self._news.trigger)
        self.worker.start()
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Only with a warm model."""
        if self.denied('activate', state):
            return TransitionCallbackReturn.FAILURE
        warm = self.worker is not None and self.worker.state in ('warm', 'busy')
        if not warm:
            self.get_logger().error('not active: the model is not warm yet; try again')
            return TransitionCallbackReturn.FAILURE
        self._active = True
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The model stays warm, nothing is planned."""
        if self.denied('deactivate', state):
            return TransitionCallbackReturn.FAILURE
        self._active = False
        return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the child and close the topics."""
        if self.denied('cleanup', state):
            return TransitionCallbackReturn.FAILURE
        self._active = False
        self._close()
        for endpoint in (*self._replies.outputs, *self._inputs):
            endpoint.destroy()
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """End the child before the node."""
        self._close()
        super().destroy_node()

    def _close(self) -> None:
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def _open_topics(self) -> None:
        lockstep, subscribe = self.settings.lockstep, qos.watched_subscription
        out, latched = qos.output(lockstep), qos.latched(qos.MANY if lockstep else 1)
        self._replies = replies.Replies(self, self.settings, self.profile.name)
        turn, wish = (partial(self._instructed, x) for x in (self._navigation, self._prompt))
        self._inputs = (
            subscribe(self, NavInstruction, 'nav', turn, latched),
            subscribe(self, DrivingPrompt, 'prompt', wish, latched),
            subscribe(self, EgoHistory, 'ego_history', self._on_history, out),
            subscribe(self, FrameSet, 'frame_set', self._on_frames, out),
            subscribe(self, FrameSetInfo, 'frame_set_info', self._on_info, out),
            subscribe(self, StepDone, 'step_done', self._on_step_done, qos.lockstep()),
        )

    # -- inputs ---------------------------------------------------------------------------------
    def _instructed(self, texts: Instructions, message: NavInstruction | DrivingPrompt) -> None:
        fault = texts.add(ns(message.header.stamp), ns(message.expires), message.text)
        if fault is not None:
            self.faults.event(fault)
        self._step_instructions.heard += 1
        self._admit()

    def _on_step_done(self, message: StepDone) -> None:
        if message.node == 'navigation':
            self._step_instructions.done(message.step, message.instructions)
            self._admit()

    def _on_history(self, message: EgoHistory) -> None:
        self._joiner.add_history(ns(message.header.stamp), message)
        self._begin()

    def _on_frames(self, message: FrameSet) -> None:
        self._step_instructions.waiting.append(message)
        self._admit()

    def _admit(self) -> None:
        """Take the frame sets whose instructions are all here; free-running, at once."""
        while (message := self._step_instructions.next()) is not None:
            frames = convert.frame_set(message, self.profile)
            if isinstance(frames, Fault):
                self._refuse(ns(message.header.stamp), [frames])
            else:
                self._ring.push(frames)
                self._joiner.add_frames(frames.t0_ns, message)
        self._begin()

    def _on_info(self, message: FrameSetInfo) -> None:
        if not message.accepted and self._active:
            faults = [Fault(code) for code in codes(message.faults)]
            self._refuse(ns(message.header.stamp), faults or [Fault(Code.SET_INCOMPLETE)])

    # -- the cycle ------------------------------------------------------------------------------
    def _begin(self) -> None:
        """Hand the newest joined set to the worker when it is idle; nothing queues."""
        while self._active and self.worker is not None and self._flying is None:
            cycle = self._joiner.take(time.perf_counter())
            if cycle is None:
                return
            inputs = self._inputs_for(cycle)
            if isinstance(inputs, Fault):
                self._refuse(cycle.t0_ns, [inputs], cycle)
                continue
            cycle.submitted_s = time.perf_counter()
            if self.worker.submit(inputs):
                self._flying = cycle
                return
            self._refuse(cycle.t0_ns, worker_spec.not_taken(self.worker), cycle)

    def _inputs_for(self, cycle: Cycle) -> PlannerInput | Fault:
        upstream = codes([*cycle.history.faults, *cycle.frames.faults])
        cycle.faults = [Fault(code) for code in upstream]
        if not len(cycle.history.x_m):
            return Fault(upstream[0] if upstream else Code.EGO_HISTORY, 'egomotion has none.')
        ego = convert.ego_history(cycle.history, self.profile)
        if isinstance(ego, Fault):
            return ego
        frames = self._ring.stack(cycle.t0_ns, self.profile)
        if isinstance(frames, Fault):
            return frames
        cycle.navigation = self._navigation.at(cycle.t0_ns)
        cycle.prompt = self._prompt.at(cycle.t0_ns)
        now_ns = cycle.t0_ns if self.settings.lockstep else self.get_clock().now().nanoseconds
        cycle.frame_age_s = (now_ns - cycle.t0_ns) / NS + frames.oldest_s
        text, text_t0_ns = self.worker.words() if self.worker else ('', 0)
        given = Conditioning(ego, cycle.navigation, cycle.prompt, text, text_t0_ns)
        return PlannerInput(cycle.t0_ns, frames, given, self.settings.seed)

    def _on_news(self) -> None:
        """The worker has a proposal, a fault or a new state."""
        worker = self.worker
        if worker is None:
            return
        proposal, faults = worker.poll(), worker.faults()
        self.faults.update({fault.code.name: str(fault) for fault in faults})
        cycle = self._flying
        if cycle is not None and proposal is not None and proposal.t0_ns == cycle.t0_ns:
            self._flying = None
            self._propose(cycle, proposal, faults)
        elif cycle is not None and worker.state != 'busy':
            self._flying = None
            dropped = replies.without_proposal(cycle.t0_ns, CandidateArray.DROPPED)
            self._answer(dropped, faults, cycle)
        elif worker.state == 'warm' and not self._active and self.settings.autostart:
            self.by_itself(self.trigger_activate)
        elif worker.failed is not None and not self._active:
            raise worker_spec.refusal(worker.failed)
        self._begin()

    # -- outputs --------------------------------------------------------------------------------
    def _refuse(self, t0_ns: int, faults: list[Fault], cycle: Cycle | None = None) -> None:
        self.faults.update({fault.code.name: str(fault) for fault in faults})
        self._answer(replies.without_proposal(t0_ns, CandidateArray.REFUSED), faults, cycle)

    def _propose(self, cycle: Cycle, proposal: Proposal, faults: list[Fault]) -> None:
        message = convert.candidates_message(proposal, self.profile.trajectory.dt_s)
        self._answer(message, faults, cycle)
        self._replies.explain(cycle, proposal, message)

    def _answer(self, message: CandidateArray, faults: list[Fault], cycle: Cycle | None) -> None:
        identity = self.worker.identity if self.worker else None
        message.manifest_hash = identity.manifest_sha256 if identity else ''
        hot = self._gpus.faults if self._gpus else ()
        self._replies.send(message, [*faults, *hot], cycle)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros planner``."""
    return run(PlannerNode)


if __name__ == '__main__':
    sys.exit(main())
