"""The planner's outgoing messages: a reply's inputs, its words, where the time went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from alpamayo_ros.faults import Fault
from alpamayo_ros.msg import CandidateArray, ChainOfCausation, StageTiming
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import floats, stamp
from alpamayo_ros.nodes.joins import Cycle
from alpamayo_ros.types import Proposal


class Replies:
    """Publishers of the planner; each reply has its number."""

    def __init__(self, node: Any, settings: Any, profile: str) -> None:
        """``settings``: the planner's parameters; ``profile``: name of the model profile."""
        self._node, self._settings, self._profile = node, settings, profile
        self._sequence = 0
        publish, out = qos.watched_publisher, qos.output(settings.lockstep)
        self._candidates = publish(node, CandidateArray, 'candidates', out)
        self._words = publish(node, ChainOfCausation, 'reasoning_raw', out)
        self._timing = publish(node, StageTiming, 'stage_timing', out)
        self.outputs = (self._candidates, self._words, self._timing)

    def send(self, message: CandidateArray, faults: list[Fault], cycle: Cycle | None) -> None:
        """Add what every reply carries, and publish it; in lockstep time stands still."""
        self._sequence += 1
        message.sequence, message.seed = self._sequence, self._settings.seed
        message.profile, message.runtime = self._profile, self._settings.runtime
        add_inputs(message, cycle, faults)
        now = self._node.get_clock().now().to_msg()
        message.published = message.header.stamp if self._settings.lockstep else now
        self._candidates.publish(message)

    def explain(self, cycle: Cycle, proposal: Proposal, message: CandidateArray) -> None:
        """The words of a proposal, and where its time went."""
        self._words.publish(words(message))
        period_ms = self._settings.period_s * 1e3
        self._timing.publish(timing(cycle, proposal, message, period_ms))


def without_proposal(t0_ns: int, status: int) -> CandidateArray:
    """A reply that was refused or dropped."""
    message = CandidateArray(status=status)
    message.header.stamp, message.header.frame_id = stamp(t0_ns), 'base_link'
    return message


def add_inputs(message: CandidateArray, cycle: Cycle | None, faults: Sequence[Fault]) -> None:
    """What the reply was made from: anchor, ages, texts, valid views, faults."""
    upstream = cycle.faults if cycle is not None else []
    message.faults = sorted({fault.code.name for fault in (*faults, *upstream)})
    if cycle is None:
        return
    history, frames = cycle.history, cycle.frames
    message.frame_set_sequence = frames.sequence
    message.pose_in_odom, message.odom_frame = history.pose_in_odom, history.odom_frame
    message.ego_extrapolated_s = history.extrapolated_s
    message.navigation, message.prompt = cycle.navigation, cycle.prompt
    message.frame_age_s = cycle.frame_age_s
    message.view_mask = sum(1 << i for i, ok in enumerate(frames.valid) if ok)


def words(candidates: CandidateArray) -> ChainOfCausation:
    """The text of a reply, not yet split into parts."""
    message = ChainOfCausation(text=candidates.text, sequence=candidates.sequence)
    message.header.stamp, message.header.frame_id = candidates.text_t0, 'base_link'
    message.truncated, message.tokens = candidates.text_truncated, len(candidates.token_ids)
    return message


def timing(
    cycle: Cycle, proposal: Proposal, candidates: CandidateArray, period_ms: float
) -> StageTiming:
    """Stages follow each other (prepare, the worker's own, deliver) and sum to the wall time."""
    wall_ms = (time.perf_counter() - cycle.started_s) * 1e3
    prepare_ms = (cycle.submitted_s - cycle.started_s) * 1e3
    stages = {'prepare': prepare_ms, **proposal.stage_ms}
    stages['deliver'] = wall_ms - sum(stages.values())
    message = StageTiming(sequence=candidates.sequence, node='planner', period_ms=period_ms)
    message.header.stamp = candidates.header.stamp
    message.stages, message.duration_ms = list(stages), floats(list(stages.values()))
    message.wall_ms, message.deadline_missed = wall_ms, wall_ms > period_ms
    text_ms = (proposal.t0_ns - (proposal.text_t0_ns or proposal.t0_ns)) / 1e6
    message.age_names = ['frames', 'text']
    message.age_ms = floats([cycle.frame_age_s * 1e3, text_ms])
    message.started = candidates.published
    return message
