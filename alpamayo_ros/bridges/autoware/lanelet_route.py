"""A route of lanelets as the next instruction, seen from the car.  Pure.

The manoeuvres are those lanelets of the route that the map tags as a turn, and the goal.  Lane
changes are not announced: they are the planner's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from alpamayo_ros.bridges.autoware.lanelets import SAMPLES, Lane
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction
from alpamayo_ros.sensing.route import LOOK_AHEAD_M, STOP_M, U_TURN_RAD

OFF_M = 15.0  # further from the route's lanes: the car is not on it
AHEAD_M = 100.0  # the car is looked for so far ahead of where it was
BEHIND_M = 5.0
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
        left_m = self._goal_m - here_m
        if left_m < STOP_M:
            return NavInstruction(Maneuver.STOP, max(0.0, left_m))
        return NavInstruction(Maneuver.FOLLOW)

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
