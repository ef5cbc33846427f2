"""Lane changes of a drive, counted as nuPlan's ``ego_lane_change_statistics`` does (2021).

A change begins when the ego, whole in one lane, has a corner in another one (or in none), and ends
when all corners are in one lane again.  It succeeds where that lane is neither the first one nor
its continuation; it fails where the ego comes back, is off all lanes, or the drive ends before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from jaxtyping import Float

from alpamayo_ros.metrics.collision import Footprint, ego_boxes
from alpamayo_ros.metrics.offroad import corners

Lanes = Mapping[str, shapely.Geometry]
Leads = Mapping[str, Collection[str]]  # from a lane to those that continue it


class LaneChange(NamedTuple):
    """One change: its first and last time, and whether another lane was reached."""

    start_s: float
    end_s: float
    succeeded: bool


def lane_changes(
    poses: Float[np.ndarray, 'T 3'],
    time_s: Float[np.ndarray, ' T'],
    vehicle: tuple[float, float, float],
    lanes: Lanes,
    leads: Leads | None = None,
) -> list[LaneChange] | None:
    """The changes of a drive in order; None without lanes, or where a number is not finite.

    ``poses``: of the rear axle, in the frame of the ``lanes``' areas; ``leads``: which lane goes
    on as which.  A lane and its continuation count as one: nobody changes lanes by driving on.
    """
    if not lanes or not len(poses) or not np.isfinite(poses).all():
        return None
    points = shapely.points(corners(ego_boxes(poses, Footprint(*vehicle))))
    inside = {name: shapely.covers(area, points) for name, area in lanes.items()}
    onward = {name: {name, *(leads or {}).get(name, ())} for name in lanes}
    homes = [_home(inside, onward, k) for k in range(len(poses))]
    return _changes(homes, onward, time_s)


def _home(
    inside: Mapping[str, np.ndarray], onward: Mapping[str, set[str]], step: int
) -> set[str] | None:
    """The lanes that hold all corners, one alone or with a continuation.

    Empty where all corners are off all lanes, None between lanes.
    """
    held = {name: at[step] for name, at in inside.items()}
    if not any(at.any() for at in held.values()):
        return set()
    found = {name for name, at in held.items() if at.all()}
    if not found:
        for name in held:
            both = [held[n] for n in onward[name] if n in held]
            if held[name].any() and np.logical_or.reduce(both).all():
                found |= {n for n in onward[name] if n in held and held[n].any()}
    return found or None


def _changes(
    homes: Sequence[set[str] | None], onward: Mapping[str, set[str]], time_s: np.ndarray
) -> list[LaneChange]:
    out: list[LaneChange] = []
    begun: tuple[float, set[str]] | None = None
    for k in range(1, len(homes)):
        before, here = homes[k - 1], homes[k]
        if begun is None:
            if here is None and before:
                begun = (float(time_s[k]), before)
        elif here is not None:
            start_s, first = begun
            same = set().union(*(onward[name] for name in first))
            out.append(LaneChange(start_s, float(time_s[k]), bool(here) and not here & same))
            begun = None
    if begun is not None:
        out.append(LaneChange(begun[0], float(time_s[-1]), False))
    return out


def failed_share(found: Sequence[LaneChange] | None) -> float | None:
    """The share of changes that failed (nuPlan: at most 0.3); None without a change."""
    return sum(not c.succeeded for c in found) / len(found) if found else None
