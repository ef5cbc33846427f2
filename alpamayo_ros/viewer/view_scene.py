"""What the plan view holds at one instant, as lines seen from above with the car at the origin.

Pixels of that view are metres: right of the car is +x, ahead of it is -y.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from alpamayo_ros import palette
from alpamayo_ros.film.director import STOP_SOURCES, carried
from alpamayo_ros.film.top_view import Car, Road, offset, to_base
from alpamayo_ros.recording import events

REACH_M = 90.0  # what lies further away is not sent
DRIVEN = 100  # poses of the way behind the car
SHOWN_NS = 500_000_000  # candidates older than this are no longer shown
Line = Float[np.ndarray, '_ 2']
Pose = tuple[float, float, float]


@dataclass(slots=True)
class State:
    """The newest of everything; ``road`` is the simulator's, where it is known."""

    car: Car = Car()
    road: Road | None = None
    route: Line = field(default_factory=lambda: np.zeros((0, 2)))
    ego: events.Ego | None = None
    objects: events.Objects | None = None
    candidates: events.Candidates | None = None
    plan: events.Plan | None = None
    driven: list[tuple[float, float]] = field(default_factory=list)

    def take(self, event: events.Event) -> None:
        """Keep what an event says."""
        if isinstance(event, events.Ego):
            self.ego = event
            self.driven = [*self.driven[-DRIVEN:], (event.x_m, event.y_m)]
        elif isinstance(event, events.Route):
            self.route = np.array(event.points, dtype=float).reshape(-1, 2)
        elif isinstance(event, events.Objects):
            self.objects = event
        elif isinstance(event, events.Candidates):
            self.candidates = self._better(event)
        elif isinstance(event, events.Plan) and event.topic == 'trajectory':
            self.plan = event

    def _better(self, new: events.Candidates) -> events.Candidates:
        """The candidates to be shown: the new ones, or those shown already.

        The graph tells of candidates twice, before and after they have costs: those with costs
        stay until the next of them, or until they are too old to be shown.
        """
        old = self.candidates
        if old is None or any(cost is not None for cost in new.costs):
            return new
        fresh = new.t0_ns - old.t0_ns <= SHOWN_NS and any(cost is not None for cost in old.costs)
        return old if fresh else new

    @property
    def pose(self) -> Pose:
        """Where the car is, in odom."""
        ego = self.ego
        return (0.0, 0.0, 0.0) if ego is None else (ego.x_m, ego.y_m, ego.heading_rad)


@dataclass(frozen=True, slots=True)
class Strips:
    """Lines of one kind; a colour for each."""

    lines: list[Line]
    colours: list[tuple[int, int, int]]
    labels: list[str] = field(default_factory=list)


def above(points: Line) -> Line:
    """Points of base_link in the plan view."""
    return np.stack([-points[:, 1], -points[:, 0]], axis=1)


def outline(place: Pose, length_m: float, width_m: float) -> Line:
    """A closed box, a car's with a nose that says where it heads.

    ``place``: x, y, heading of its middle.
    """
    half, side = length_m / 2, width_m / 2
    nose = 0.6 * half if length_m > 1.5 else half
    shape = np.array(
        [[-half, -side], [nose, -side], [half, 0], [nose, side], [-half, side], [-half, -side]]
    )
    cos, sin = math.cos(place[2]), math.sin(place[2])
    return np.asarray(shape @ np.array([[cos, sin], [-sin, cos]]) + np.array(place[:2]))


def roadway(state: State) -> Strips:
    """The road's lines, or the route where no road is known."""
    grey, yellow = (150, 150, 145), (200, 160, 60)
    if state.road is not None:
        road = state.road
        sides = ((road.right_m, grey), (road.middle_m, yellow), (road.left_m, grey))
        found = [(offset(road.centre, left_m), colour) for left_m, colour in sides]
    else:
        found = [(state.route, (95, 105, 115))] if len(state.route) > 1 else []
    lines, colours = [], []
    for points, colour in found:
        seen = to_base(points, state.pose)
        for part in near(seen):
            lines.append(above(part))
            colours.append(colour)
    return Strips(lines, colours)


def near(points: Line) -> list[Line]:
    """The runs of a line within ``REACH_M``."""
    inside = np.concatenate([[0], (np.abs(points).max(axis=1, initial=0) < REACH_M), [0]])
    ends = np.flatnonzero(np.diff(inside.astype(int))).reshape(-1, 2)
    return [points[first:end] for first, end in ends if end - first > 1]


def rivals(state: State, now_ns: int) -> Strips:
    """The candidates, coloured by cost, the dearest first."""
    found = state.candidates
    if found is None or now_ns - found.t0_ns > SHOWN_NS:
        return Strips([], [])
    known = [cost for cost in found.costs if cost is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    rows: list[tuple[float, Line, tuple[int, int, int]]] = []
    for index, path in enumerate(found.paths):
        cost = found.costs[index] if index < len(found.costs) else None
        line = above(carried(clean(path[0], path[1]), found.pose, state.pose))
        rank = math.inf if cost is None else cost
        rows.append((-rank, line, palette.of_cost(cost, low, high)))
    rows.sort(key=lambda row: row[0])
    return Strips([row[1] for row in rows], [row[2] for row in rows])


def clean(x: Sequence[float | None], y: Sequence[float | None]) -> Line:
    """Points of a path that have numbers."""
    kept = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    return np.array(kept, dtype=float).reshape(-1, 2)


def chosen(state: State) -> tuple[Line, bool]:
    """The plan in base_link, and whether it is a stop."""
    plan = state.plan
    if plan is None or not plan.x_m:
        return np.zeros((0, 2)), False
    return carried(clean(plan.x_m, plan.y_m), plan.pose, state.pose), plan.source in STOP_SOURCES


def others(state: State) -> Strips:
    """Outlines of the other road users within reach, with kind and speed."""
    x0, y0, angle = state.pose
    lines, labels = [], []
    for box in state.objects.boxes if state.objects is not None else []:
        at = to_base(np.array([[box.x_m, box.y_m]]), state.pose)[0]
        if np.abs(at).max() > REACH_M:
            continue
        place = (float(at[0]), float(at[1]), box.heading_rad - angle)
        lines.append(above(outline(place, box.length_m, box.width_m)))
        labels.append(f'{box.kind} {abs(box.speed_mps):.0f} m/s')
    return Strips(lines, [palette.OTHER] * len(lines), labels)
