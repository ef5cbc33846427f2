"""Where the instructed way leaves other ways: was the instructed exit taken?

Junctions of a town, the exit of a roundabout and that of a motorway.  A fork is decided once the
car is past its end, in the lane (taken) or beside it (missed); leaving the road between begin and
end is a miss, for so a drive ends that goes another way.  A fork at which a contact or the time
ends a drive is not decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from alpamayo_ros.simulation.outcome import IN_LANE_M, Outcome

PAST_M = 5.0  # beyond the end of a fork the car is asked where it is


class Fork(NamedTuple):
    """Arcs of the rear axle on the instructed way [m]: first other way, and exit behind it."""

    begin_m: float
    end_m: float


def note_forks(outcome: Outcome, forks: Iterable[Fork], before_arc_m: float, arc_m: float) -> None:
    """Account for the step from ``before_arc_m`` to ``arc_m``, after ``Outcome.note``."""
    for fork in forks:
        past_m = fork.end_m + PAST_M
        if outcome.offroad_s > 0 and fork.begin_m < arc_m <= past_m:
            outcome.missed_exits += 1
        elif before_arc_m <= past_m < arc_m:
            if outcome.offset_m <= IN_LANE_M:
                outcome.exits += 1
            else:
                outcome.missed_exits += 1
