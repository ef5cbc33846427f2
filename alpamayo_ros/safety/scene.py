"""Scene: what ``decide`` knows of the world and of its own machinery besides the proposal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.types import EgoState, TrackedObject

CYCLES = 100  # for the 99th percentile of the cycle time; none is known before
RECENT = 5  # cycles, half a second: where none of them was late, what slowed the model has gone


@dataclass(frozen=True, slots=True)
class Scene:
    """The world at one call of ``decide``; ``build_scene`` makes it.

    ``ego``: state at the proposal's t0 (with no proposal: the newest), None when unknown.
    ``ego_now``: the newest state, None when there never was one.  ``objects`` in base_link at t0;
    None means that nobody looks for objects, an empty tuple that there are none.
    ``faults``: found upstream (sync, egomotion, navigation, planner).  ``p99_cycle_s``: how long
    the model's cycles take (``pace_s``), None when unknown.  ``frame_age_s``: age of the oldest
    valid view that the newest reply was made from, None where it was made from none.
    ``observed_ns``: when the inputs were looked at, the instant at which their ages are judged;
    None means now.  In lockstep it is t0, since the world stands still until the reply.
    """

    ego: EgoState | None
    ego_now: EgoState | None
    objects: tuple[TrackedObject, ...] | None = None
    faults: tuple[Fault, ...] = ()
    p99_cycle_s: float | None = None
    frame_age_s: float | None = None
    observed_ns: int | None = None


def build_scene(
    ego: EgoState | None,
    ego_now: EgoState | None,
    objects: tuple[TrackedObject, ...] | None = None,
    upstream: Iterable[Fault | None] = (),
    cycles_s: Sequence[float] = (),
    frame_age_s: float | None = None,
    observed_ns: int | None = None,
) -> Scene:
    """The scene, the same for the trajectory node, the replay and the simulator.

    ``upstream``: what the stages before have found, None for nothing.  ``cycles_s``: the model's
    newest cycle times, oldest first; empty where wall time counts for nothing.
    """
    pace = pace_s(cycles_s)
    return Scene(ego, ego_now, objects, known(upstream), pace, frame_age_s, observed_ns)


def pace_s(cycles_s: Sequence[float]) -> float | None:
    """99th percentile of the newest ``CYCLES`` cycle times, None while there are fewer.

    At most the longest of the newest ``RECENT``: a percentile alone would keep a car DEGRADED for
    ten seconds after a load that is gone.
    """
    if len(cycles_s) < CYCLES:
        return None
    p99_s = float(np.percentile(cycles_s[-CYCLES:], 99))
    return min(p99_s, max(cycles_s[-RECENT:]))


def decisive(faults: Iterable[Fault]) -> list[Fault]:
    """Those that change what may be driven, so that a decision has to see each of them once.

    The synchronisation finds them beside a set that is accepted, whose reply may never come.
    """
    return [f for f in faults if f.reaction >= Reaction.MASK or f.code is Code.CLOCK_BACK]


def known(upstream: Iterable[Fault | None]) -> tuple[Fault, ...]:
    """Each code once, as it was said first, sorted by name.

    MODEL_OVERRUN_WARN is left out: one late cycle is no fault, a late 99th percentile is, and that
    is judged of the scene.
    """
    found: dict[str, Fault] = {}
    for fault in upstream:
        if fault is not None and fault.code is not Code.MODEL_OVERRUN_WARN:
            found.setdefault(fault.code.name, fault)
    return tuple(found[name] for name in sorted(found))
