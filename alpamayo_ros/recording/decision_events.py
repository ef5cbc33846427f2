"""What the pure cycle decided, as the events that the live recorder writes of its messages.

For drives without a graph (suite, replay): report, film and viewer read one format.  The numbers
of ``source``, ``state`` and ``status`` are those of PlannedTrajectory, Health and CandidateArray.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alpamayo_ros import metrics
from alpamayo_ros.faults import Fault
from alpamayo_ros.metrics.agreement import told_and_driven
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.pipeline import Decision
from alpamayo_ros.recording import events
from alpamayo_ros.types import EgoState, Proposal

MODEL, HELD, STOP, STANDSTILL = 0, 1, 2, 3  # PlannedTrajectory.source
PROPOSED, REFUSED = 0, 1  # CandidateArray.status


@dataclass(slots=True)
class DecisionEvents:
    """Events of one drive, cycle by cycle; counts what Health counts.

    ``wall_ns`` of every event is the time of the decision, so that the same drive gives the same
    bytes.
    """

    runtime: str
    profile: str
    manifest_hash: str = ''
    plans: int = field(default=0, init=False)
    stops: int = field(default=0, init=False)
    refusals: int = field(default=0, init=False)
    _source_t0_ns: int = field(default=0, init=False)

    def of(
        self,
        decision: Decision,
        proposal: Proposal | None,
        anchor: EgoState,
        now_ns: int,
        faults: Sequence[Fault] = (),
    ) -> list[events.Event]:
        """The events of one cycle.

        ``anchor``: the car at the proposal's t0; ``faults``: of the inputs.
        """
        t0_ns = anchor.stamp_ns if proposal is None else proposal.t0_ns
        plan = decision.plan
        self.plans += plan is not None and plan.source == 'model'
        self.stops += plan is not None and plan.source != 'model'
        self.refusals += plan is None
        out: list[events.Event] = [self._candidates(decision, proposal, anchor, now_ns, faults)]
        if proposal is not None:
            self._source_t0_ns = t0_ns  # a stop goes on from the newest proposal
        if plan is not None:
            out.append(_plan(plan, decision, self._source_t0_ns, now_ns))
        out.append(self._health(decision, t0_ns, now_ns))
        if proposal is not None and plan is not None and plan.source == 'model':
            out.append(_words(proposal, plan, now_ns))
        return out

    def _candidates(
        self,
        decision: Decision,
        proposal: Proposal | None,
        anchor: EgoState,
        now_ns: int,
        faults: Sequence[Fault],
    ) -> events.Candidates:
        judgement, t0_ns = decision.judgement, anchor.stamp_ns
        paths: list[list[events.Row]] = []
        costs: list[float | None] = []
        selected = -1
        if proposal is not None:
            t0_ns, shown = proposal.t0_ns, proposal.candidates
            if judgement is not None and judgement.feasible is not None:
                shown = judgement.feasible.poses
            paths = [[sent(path[:, 0]), sent(path[:, 1])] for path in np.asarray(shown)]
            costs = [None] * len(paths)
            if judgement is not None and judgement.costs is not None:
                total = judgement.costs.total
                costs = [c if math.isfinite(c) else None for c in sent(total)]
            if decision.plan is not None and decision.plan.source == 'model' and judgement:
                selected = -1 if judgement.chosen is None else int(judgement.chosen)
        status = REFUSED if proposal is None else PROPOSED
        text = '' if proposal is None else proposal.text
        model = (self.runtime, self.profile, self.manifest_hash, text)
        names = sorted({fault.code.name for fault in faults})
        return events.Candidates(
            now_ns, t0_ns, now_ns, status, *model, names, _pose(anchor), paths, costs, selected
        )

    def _health(self, decision: Decision, t0_ns: int, now_ns: int) -> events.Health:
        h = decision.health
        names = [fault.code.name for fault in h.faults]
        messages = [str(fault) for fault in h.faults]
        age_ms = h.plan_age_s * 1e3 if math.isfinite(h.plan_age_s) else None
        counts = (self.plans, self.stops, self.refusals, 0, 0)
        return events.Health(
            now_ns, h.stamp_ns, t0_ns, int(h.mode), h.reason, names, messages, age_ms, *counts,
            self.runtime,
        )  # fmt: skip


def sent(values: Any) -> events.Row:
    """Numbers as a message carries them, in single precision: so the graph records them too."""
    return [float(value) for value in np.asarray(values, dtype=np.float32)]


def _pose(ego: EgoState) -> events.Row:
    return [ego.x_m, ego.y_m, ego.heading_rad]


def source(plan: Plan, decision: Decision) -> int:
    """MODEL, or what kind of stop: the last plan still held, braking, or standing."""
    if plan.source == 'model':
        return MODEL
    if decision.standstill:
        return STANDSTILL
    stop = decision.state.stop
    held = stop is not None and decision.health.stamp_ns < stop.began_ns
    return HELD if held else STOP


def _plan(plan: Plan, decision: Decision, source_t0_ns: int, now_ns: int) -> events.Plan:
    t, judgement = plan.trajectory, decision.judgement
    chosen = -1
    if plan.source == 'model' and judgement is not None and judgement.chosen is not None:
        chosen = int(judgement.chosen)
    stamps = (source_t0_ns, now_ns, plan.valid_until_ns)
    points = (sent(t.x_m), sent(t.y_m), sent(t.speed_mps))
    return events.Plan(
        now_ns, 'trajectory', plan.t0_ns, plan.id, *stamps, source(plan, decision),
        int(decision.state.mode), chosen, _pose(plan.anchor), *points,
        sent(t.acceleration_mps2)[0], sent(t.steering_rad)[0],
    )  # fmt: skip


def _words(proposal: Proposal, plan: Plan, now_ns: int) -> events.Words:
    """The parts of the text with its agreement, as the reasoning node words them."""
    parts = metrics.split(proposal.text)
    t = plan.trajectory
    poses = np.stack([t.x_m, t.y_m, t.heading_rad], 1)
    fits, differs = told_and_driven(proposal.text, poses, plan.anchor.speed_mps, t.dt_s)
    seen, situation, rationale, intent = (parts.get(name, '') for name in metrics.PARTS)
    said = (seen, situation, rationale, intent)
    otherwise = parts.get(metrics.COUNTERFACTUAL, '')
    return events.Words(now_ns, proposal.t0_ns, plan.id, *said, fits, differs, otherwise)
