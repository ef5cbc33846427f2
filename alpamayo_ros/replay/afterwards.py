"""What follows a step when its plans are made: figures and the recording, in a thread behind."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.pipeline import Decision
from alpamayo_ros.replay.cycle import Cycle
from alpamayo_ros.replay.driven_after import boxes_in_odom, stamp_of, unplaced
from alpamayo_ros.replay.instructed import route_points
from alpamayo_ros.replay.intake import DecodedStep
from alpamayo_ros.replay.replay_figures import Figures
from alpamayo_ros.replay.score import Scored, Scorer
from alpamayo_ros.replay.tape import Tape
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.sensing.rig import OdometrySource
from alpamayo_ros.sensing.route_frame import PlacedRoute
from alpamayo_ros.types import EgoState

RECENT = 64  # states among which the car at the time of a message is sought: over 0.5 s at 100 Hz


@dataclass(frozen=True, slots=True)
class Done:
    """A step that has been planned.  ``driven``: odometry with whether it jumped there."""

    step: DecodedStep
    cycles: tuple[Cycle, ...]
    driven: tuple[tuple[EgoState, bool], ...]


@dataclass(slots=True)
class Afterwards:
    """Takes the steps in order; everything it holds is its own until ``finish``."""

    scorer: Scorer
    figures: Figures
    tape: Tape
    source: OdometrySource = OdometrySource()
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    sets: int = 0
    held: int = 0
    _recent: deque[EgoState] = field(default_factory=lambda: deque(maxlen=RECENT))

    def take(self, done: Done) -> None:
        """Write a step down and score what has become known."""
        began = time.perf_counter()
        for state, jumped in done.driven:
            self.scorer.track.add(state, jumped)
            self.tape.ego(state)
        self._others(done)
        self.faults.update({f.code.name for f in done.step.refused})
        for cycle in done.cycles:
            self._count(cycle)
            self.tape.cycle(cycle)
            self.scorer.put(cycle)
        self._score(over=False)
        self.seconds += time.perf_counter() - began

    def finish(self) -> None:
        """Score the rest with what is known, and end the recording."""
        self._score(over=True)
        self.tape.close()

    def _others(self, done: Done) -> None:
        """Objects, route and reference texts of the recording."""
        self._recent.extend(state for state, _ in done.driven)
        for other in done.step.others:
            role, message = other.source.role, other.message
            if role == 'route':
                self._route(other.time_ns, message)
            elif role == 'reference':
                self.figures.has_reference = True
                self.scorer.references[stamp_of(message)] = str(message.text)
            elif role == 'truth':
                self._objects(message)

    def _route(self, time_ns: int, message: Any) -> None:
        """Write the way to go down where its frame can be placed."""
        placed = PlacedRoute(self.source.frame_id, self.source.child_frame_id)
        placed.take(message.header.frame_id, route_points(message))
        points = placed.in_odom(self._recent[-1] if self._recent else None)
        if points is not None:
            self.tape.route(time_ns, points)

    def _objects(self, message: Any) -> None:
        away = lambda state: abs(state.stamp_ns - stamp_of(message))  # noqa: E731
        ego, odom_frame = min(self._recent, key=away, default=None), self.source.frame_id
        boxes = boxes_in_odom(message, ego, odom_frame)
        if boxes is None:
            self.figures.misplaced = unplaced(message, odom_frame)
        else:
            self.figures.has_objects = True
            self.scorer.around.add(stamp_of(message), boxes)
            self.tape.objects(stamp_of(message), str(message.source), boxes)

    def _count(self, cycle: Cycle) -> None:
        figures = self.figures
        figures.timesteps += 1
        self.sets += cycle.frames is not None
        self.held += cycle.held
        decision = cycle.decision
        found = [*cycle.faults, *(() if decision is None else decision.faults)]
        self.faults.update({f.code.name for f in found})
        if decision is not None:
            self._plan(decision, cycle.proposal is not None)
        if decision is None or decision.plan is None or decision.plan.source != 'model':
            figures.without_plan.add(found, cycle.t0_ns)
        if cycle.proposal is None:
            figures.refusals.update([cycle.faults[0].code.name] if cycle.faults else [])
            return
        figures.proposals += 1
        figures.cycle_ms.append(sum(cycle.stage_ms.values()))

    def _plan(self, decision: Decision, proposed: bool) -> None:
        figures = self.figures
        planned = decision.plan is not None and decision.plan.source == 'model'
        begun = decision.state.mode not in (Mode.INIT, Mode.READY)
        figures.begun += begun
        figures.waited += proposed and not begun and decision.plan is None
        figures.plans += planned
        figures.armed += figures.plans > 0
        if figures.plans and not planned:
            worst = max(decision.faults, key=lambda f: f.reaction, default=None)
            figures.unplanned[decision.health.reason if worst is None else worst.code.name] += 1

    def _score(self, over: bool) -> None:
        for scored in self.scorer.ready(over):
            self.figures.add(scored)
            self.tape.score(scored.t0_ns, flat(scored))


def flat(scored: Scored) -> dict[str, float | None]:
    """The model's figures under their names, the baseline's with ``baseline_`` before them."""
    out = {} if scored.model is None else dict(scored.model)
    for name, value in (scored.baseline or {}).items():
        if value is not None:
            out[f'baseline_{name}'] = value
    return out
