"""The truth of a drive, instant by instant, that the words said in it are judged by.

Costs 0.3 to 1.1 ms an instant on a road and 2.1 ms at a town's red light (one thread of a busy
machine); who is seen: 0.1 to 0.5 and 1.1 ms of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from alpamayo_ros.motion.plan import to_base
from alpamayo_ros.recording.scene_facts import SceneFacts
from alpamayo_ros.simulation.drive import facts, visibility
from alpamayo_ros.simulation.drive.facts import HORIZON, Facts, Known
from alpamayo_ros.simulation.drive.visibility import Pictures
from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.scene_truth import SceneTruth
from alpamayo_ros.simulation.worlds.simulation import STEP_S, Simulation
from alpamayo_ros.types import EgoState

NEAR = 3  # of ``scene_truth.CURVATURE_AHEAD_M``: what words call the road here reaches 20 m
SUBJECTS = ('light', 'lead', 'pedestrian')


class _Instant(NamedTuple):
    """The truth of one: ``foreseen`` as ``facts.foreseen``, ``bends`` the curvatures ahead."""

    t0_ns: int
    known: Known
    foreseen: set[str]
    navigation: str
    bends: np.ndarray
    gap_m: float

    @property
    def bend(self) -> float:
        """The sharpest curvature ahead, whichever side."""
        return float(np.abs(self.bends).max())


class FactTrack:
    """Call ``look`` at every step of 0.1 s; ask at the end of the drive."""

    def __init__(self, wish: Wish = PLAIN) -> None:
        """``wish``: what the passenger asked for, which a good driver does."""
        self._wish = wish
        self._instants: list[_Instant] = []
        self._egos: list[EgoState] = []

    def look(self, sim: Simulation, truth: SceneTruth, t0_ns: int, images: Pictures) -> None:
        """Keep the truth about now, of which the next words will speak.

        ``truth``: ``sim.truth()``.  ``images``: those that the planner uses, as they were rendered
        just now; what they do not show need not be said.
        """
        bends = truth.curvature_ahead_1pm
        known = visibility.known(sim, truth, images)
        foreseen = facts.foreseen(sim, float(np.abs(bends).max()), self._wish)
        self._instants.append(
            _Instant(t0_ns, known, foreseen, sim.navigation, bends, truth.leader_gap_m)
        )
        self._egos.append(sim.ego)

    def judged_by(self, last: EgoState) -> Iterator[tuple[int, Facts, Facts]]:
        """For every instant its t0 [ns], what is true, and what is neither true nor false.

        ``last``: the car after the last step.  'manoeuvre' is missing where the drive ended
        within its 6 s.
        """
        egos = [*self._egos, last]
        table = np.array([[e.x_m, e.y_m, e.heading_rad, e.speed_mps] for e in egos])
        table[:, 2] = np.unwrap(table[:, 2])
        for step, now in enumerate(self._instants):
            after = table[step : step + HORIZON + 1]
            poses = to_base(after[:, :3], egos[step])
            done = facts.manoeuvre(poses, after[:, 3], STEP_S, now.navigation, now.bend)
            true, hidden = now.known
            if done is not None:
                holds, unknown = facts.judged(done, now.foreseen, now.bend)
                true, hidden = true | {'manoeuvre': holds}, hidden | {'manoeuvre': unknown}
            yield now.t0_ns, true, hidden

    def records(self, last: EgoState) -> list[SceneFacts]:
        """The same, to be kept beside a recording."""
        return [
            SceneFacts(t0_ns, _sorted(true), _sorted(hidden), _sharpest(now), _gap(now))
            for now, (t0_ns, true, hidden) in zip(
                self._instants, self.judged_by(last), strict=True
            )
        ]


def _sorted(found: Facts) -> dict[str, list[str]]:
    return {name: sorted(values) for name, values in found.items()}


def _sharpest(now: _Instant) -> float:
    near = now.bends[:NEAR]
    return round(float(near[np.abs(near).argmax()]), 5)


def _gap(now: _Instant) -> float | None:
    return round(now.gap_m, 2) if math.isfinite(now.gap_m) else None
