"""What a drive is measured by beside its outcome: words against truth and plan, comfort, rules.

A drive calls ``look`` when its pictures are taken; ``note`` wants its cycle, ``fields`` comes at
the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from alpamayo_ros import metrics
from alpamayo_ros.faults import Code
from alpamayo_ros.metrics import FactCounts
from alpamayo_ros.simulation.drive.drive import Cycle, Drive
from alpamayo_ros.simulation.drive.fact_track import FactTrack
from alpamayo_ros.simulation.driving_wish import read_prompt
from alpamayo_ros.simulation.worlds.simulation import STEP_S
from alpamayo_ros.types import EgoState

SILENT = ('expert', 'straight')  # planners that say nothing of what they see
BOUNDS = 6  # nuPlan's

claims = lru_cache(maxsize=256)(metrics.coc_facts)  # the same words come again and again


class Measure:
    """Gathers one drive's figures, step by step."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._speaks = drive.planner.name.split(',')[0] not in SILENT
        self._cameras = {view.camera for view in drive.planner.profile.views}
        self._facts = FactTrack(read_prompt(drive.options.prompt).wish)
        self._egos: list[EgoState] = []
        self._ahead: list[tuple[float, float]] = []  # of every step: gap and speed of the leader
        self._step_of: dict[int, int] = {}  # by the vehicle's clock, which may jump
        self._said: list[tuple[int, str]] = []  # step of t0, text
        self._agreement: list[float] = []
        self._disagreed = 0
        drive.looked = self.look

    def look(self) -> None:
        """Keep the truth about this instant, which the next proposal will speak about.

        Of what is ahead counts what the planner's cameras show, as they were rendered: before any
        fault and any ablation, or else a model with black pictures could leave nothing unsaid.
        """
        sim, now_ns = self._drive.sim, self._drive.sensors.now_ns
        truth = sim.truth()
        if self._speaks:
            taken = self._drive.sensors.pictures
            mine = {name: image for name, image in taken.items() if name in self._cameras}
            self._facts.look(sim, truth, now_ns, mine)
        self._step_of[now_ns] = len(self._egos)
        self._egos.append(sim.ego)
        self._ahead.append((truth.leader_gap_m, truth.leader_speed_mps))

    def note(self, cycle: Cycle) -> None:
        """Keep what was said, and how far the plan that left fits it."""
        proposal, plan = cycle.proposal, cycle.decision.plan
        if proposal is None or not self._speaks:
            return
        self._said.append((self._step_of[proposal.t0_ns], proposal.text))
        if plan is not None and plan.source == 'model':
            t = plan.trajectory
            poses = np.stack([t.x_m, t.y_m, t.heading_rad], 1)
            fits = metrics.agreement(proposal.text, poses, plan.anchor.speed_mps, t.dt_s)
            self._agreement += [] if fits is None else [fits]
            self._disagreed += any(f.code is Code.COC_DISAGREES for f in cycle.decision.faults)

    def fields(self) -> dict[str, Any]:
        """What the row gains; None is 'not evaluable'.

        ``disagreed_cycles``: those of ``agreement_cycles`` with COC_DISAGREES.
        ``coc_facts``: true claims, false claims and truths left unsaid, over all cycles;
        ``coc_facts_by``: the same, of each subject (``metrics.language.FACTS``).
        ``comfort``: share of nuPlan's six bounds that were kept; ``discomfort`` names the others.
        ``time_gap_s``: what the car settled at behind a vehicle (``metrics.time_gap``).
        Rules: those of ``simulation.road_rules``; ``contact``: who was touched first.
        """
        by = self._counts()
        counts = None if by is None else [sum(n) for n in zip(*by.values(), strict=True)]
        comfort, rules = self._comfort(), self._drive.sim.outcome.rules
        mean = math.fsum(self._agreement) / max(len(self._agreement), 1)
        found = None if by is None else metrics.f1(by.values())
        return {
            'coc_facts': counts,
            'coc_facts_by': None if by is None else {k: list(n) for k, n in by.items()},
            'coc_facts_f1': _rounded(found),
            'agreement': round(mean, 4) if self._agreement else None,
            'agreement_cycles': len(self._agreement),
            'disagreed_cycles': self._disagreed if self._agreement else None,
            'comfort': None if comfort is None else _rounded(1 - len(comfort) / BOUNDS),
            'discomfort': comfort,
            'time_gap_s': _rounded(self._time_gap()),
            'speeding_s': rules.speeding_s,
            'wrong_way_s': rules.wrong_way_s,
            'stop_lines': rules.stop_lines,
            'contact': self._drive.sim.outcome.contact,
        }

    def held(self) -> list[int]:
        """The t0 of the cycles whose claims are true and leave no fact out [ns].

        Asked at the end of the drive.
        """
        t0_of = {step: t0_ns for t0_ns, step in self._step_of.items()}
        wrong = {s for s, by in self._judged() if any(n.fp or n.fn for n in by.values())}
        return [t0_of[step] for step, _ in self._said if step not in wrong]

    def _counts(self) -> dict[str, FactCounts] | None:
        """Claims against truth, of each subject; None where nothing was said."""
        if not self._said:
            return None
        total = {name: np.zeros(3, int) for name in metrics.FACTS}
        for _, found in self._judged():
            for name, counts in found.items():
                total[name] += np.array(counts)
        return {name: FactCounts(*counts.tolist()) for name, counts in total.items()}

    def _judged(self) -> Iterator[tuple[int, dict[str, FactCounts]]]:
        """The step of each proposal's t0, and its claims against truth."""
        truth = list(self._facts.judged_by(self._drive.sim.ego))
        for step, text in self._said:
            _, true, hidden = truth[step]
            yield step, metrics.facts_by_subject(claims(text), true, hidden)

    def _time_gap(self) -> float | None:
        own = np.array([ego.speed_mps for ego in self._egos])
        gap_m, leader_mps = np.reshape(self._ahead, (-1, 2)).T
        return metrics.steady_time_gap(gap_m, own, leader_mps, STEP_S)

    def _comfort(self) -> list[str] | None:
        """Names of the bounds that were broken; None for a drive too short to say."""
        egos = [*self._egos, self._drive.sim.ego]
        speed, acceleration, yaw_rate, heading = np.array(
            [(e.speed_mps, e.acceleration_mps2, e.yaw_rate_rps, e.heading_rad) for e in egos]
        ).T
        found = metrics.nuplan_comfort(speed, acceleration, yaw_rate, STEP_S, heading)
        return None if found is None else [name for name, ok in found.within.items() if not ok]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
