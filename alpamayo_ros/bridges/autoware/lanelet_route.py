"""A route of lanelets as the next instruction, seen from the car.  Pure.

The manoeuvres are those lanelets of the route that the map tags as a turn, changes from one lane
to the next one beside it, and the goal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from alpamayo_ros.bridges.autoware.lanelets import SAMPLES, Lane, Line
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction
from alpamayo_ros.sensing.route import LOOK_AHEAD_M, STOP_M, U_TURN_RAD

OFF_M = 15.0  # further from the route's lanes: the car is not on it
AHEAD_M = 100.0  # the car is looked for so far ahead of where it was
BEHIND_M = 5.0
CHANGE_M = 1.5  # sideways: a lane's successor begins at its end, one beside it 2.5 m off or more
SIDES = {'left': Maneuver.LEFT, 'right': Maneuver.RIGHT}


class LaneletRoute:
    """The route in force, and how far the car has come on it."""

    def __init__(
        self, lanes: Mapping[int, Lane], ids: Sequence[int], goal: tuple[float, float]
    ) -> None:
        """``ids``: the preferred lanelets in order; ``goal`` [m] in the map; ValueError."""
        unknown = [number for number in ids if number not in lanes]
        if unknown or not ids:
            which = ', '.join(map(str, unknown[:5])) or 'no lanelet at all'
            raise ValueError(
                f'the route holds {which}, which the map file has not; expected the map that '
                'Autoware was started with'
            )
        self._lanes = [lanes[number] for number in ids]
        self.contradicting = tuple(number for number in ids if lanes[number].contradicts)
        self._path = np.concatenate([lane.centre for lane in self._lanes])
        steps = np.hypot(*np.diff(self._path, axis=0).T)
        self._arc = np.concatenate([[0.0], np.cumsum(steps)])
        self._beside_m = [*(_beside(a, b) for a, b in pairwise(self._lanes)), 0.0]
        last = self._path[-SAMPLES:] - np.asarray(goal)
        self._goal_m = float(self._arc[len(self._path) - SAMPLES + np.argmin(np.hypot(*last.T))])
        self._here_m: float | None = None

    def instruction(self, x_m: float, y_m: float) -> NavInstruction | Fault:
        """The next manoeuvre for a car at a place in the map; NAV_FORMAT far from the route."""
        here_m = self._place(x_m, y_m)
        if here_m is None:
            text = f'the car is more than {OFF_M:g} m from the route'
            return Fault(Code.NAV_FORMAT, text, {'limit_m': OFF_M})
        for index, lane in enumerate(self._lanes):
            begin_m = self._arc[SAMPLES * index]
            end_m = self._arc[SAMPLES * index + SAMPLES - 1]
            if lane.turn and end_m > here_m:
                distance_m = max(0.0, float(begin_m) - here_m)
                if distance_m > LOOK_AHEAD_M:
                    break
                around = abs(lane.turned_rad) > U_TURN_RAD
                return NavInstruction(Maneuver.U_TURN if around else SIDES[lane.turn], distance_m)
            if end_m > here_m and self._is_ahead(index, x_m, y_m):
                if end_m - here_m > LOOK_AHEAD_M:
                    break
                left = self._beside_m[index] > 0
                side = Maneuver.MERGE_LEFT if left else Maneuver.MERGE_RIGHT
                return NavInstruction(side, float(end_m) - here_m)
        left_m = self._goal_m - here_m
        if left_m < STOP_M:
            return NavInstruction(Maneuver.STOP, max(0.0, left_m))
        return NavInstruction(Maneuver.FOLLOW)

    def _is_ahead(self, index: int, x_m: float, y_m: float) -> bool:
        """Whether lane ``index`` is left sideways, and the car is not yet beside it."""
        beside_m = self._beside_m[index]
        done_m = math.copysign(1.0, beside_m) * _left_of(self._lanes[index].centre, (x_m, y_m))
        return abs(beside_m) >= CHANGE_M and done_m < abs(beside_m) / 2

    def _place(self, x_m: float, y_m: float) -> float | None:
        """Arc length of the car [m]: near where it was, else anywhere; None off the route."""
        far = np.hypot(self._path[:, 0] - x_m, self._path[:, 1] - y_m)
        if self._here_m is not None:
            low, high = self._here_m - BEHIND_M, self._here_m + AHEAD_M
            near = np.where((self._arc >= low) & (self._arc <= high), far, math.inf)
            if near.min() <= OFF_M:
                self._here_m = float(self._arc[int(near.argmin())])
                return self._here_m
        found = int(far.argmin())
        self._here_m = float(self._arc[found]) if far[found] <= OFF_M else None
        return self._here_m


def _beside(lane: Lane, following: Lane) -> float:
    """How far left [m] of the end of ``lane`` the nearest point of the following one lies."""
    end = lane.centre[-1]
    near = following.centre[np.hypot(*(following.centre - end).T).argmin()]
    return _left_of(lane.centre, (float(near[0]), float(near[1])))


def _left_of(line: Line, place: tuple[float, float]) -> float:
    """How far [m] a place lies to the left of the nearest stretch of a line, which goes on."""
    at = int(np.hypot(*(line - place).T).argmin())
    x_m, y_m = np.asarray(place) - line[at]
    ahead = line[min(at + 1, len(line) - 1)] - line[max(at - 1, 0)]
    return float((ahead[0] * y_m - ahead[1] * x_m) / np.hypot(*ahead))
