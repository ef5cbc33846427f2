"""How far candidates are from the turn that was asked for, by the words that the model was given.

Turn left, turn right and go straight in so many metres are judged, by the change of heading until
``BEYOND_M`` past the place.  Other words are not, nor is a turn without a distance or under way
('now'): of a turn half made nobody knows how much is left.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing.navigation import Maneuver
from alpamayo_ros.sensing.route import from_text

TURN_RAD = math.radians(20.0)  # as metrics.agreement: so much change of heading is a turn
BEGUN_M, BEYOND_M = (
    10.0,
    15.0,
)  # a turn of 15 m radius, 5 m after a line, has made 20 degrees at 10
BEFORE_M = 5.0  # stop lines and the words' steps of 5 m lie so far off the turn
MOST = 2.0
SIDES = {Maneuver.LEFT: 1.0, Maneuver.RIGHT: -1.0, Maneuver.STRAIGHT: 0.0}


def disobedience(
    navigation: str, poses: Float[np.ndarray, 'K P 3']
) -> Float[np.ndarray, ' K'] | None:
    """0: turns as told, or does not get there; 1: goes straight instead; 2: the other way.

    Told to go straight: 0 below 20 degrees of turn, 2 from 60.  It counts from 10 m past
    the place on, and wholly from 15.  None where the words ask for nothing that can be judged.
    """
    asked = from_text(navigation)
    if isinstance(asked, Fault) or asked.maneuver not in SIDES:
        return None
    if not asked.distance_m > 0.0:  # unknown, or told `now`: it may be anywhere in the turn
        return None
    side = SIDES[Maneuver(asked.maneuver)]
    turn, past = _turn_at(poses, asked.distance_m)
    wrong = 1.0 - side * turn / TURN_RAD if side else np.abs(turn) / TURN_RAD - 1.0
    return np.asarray(
        np.clip(wrong, 0.0, MOST) * np.clip((past - BEGUN_M) / (BEYOND_M - BEGUN_M), 0.0, 1.0)
    )


def _turn_at(
    poses: Float[np.ndarray, 'K P 3'], distance_m: float
) -> tuple[Float[np.ndarray, ' K'], Float[np.ndarray, ' K']]:
    """Change of heading [rad] about the place, and the way driven past it [m]."""
    steps = np.diff(poses[..., :2], axis=1, prepend=np.zeros((len(poses), 1, 2)))
    way = np.cumsum(np.hypot(steps[..., 0], steps[..., 1]), axis=1)
    about = np.array([max(distance_m - BEFORE_M, 0.0), distance_m + BEYOND_M])
    headings = [
        np.interp(about, np.append(0.0, along), np.append(0.0, heading))
        for along, heading in zip(way, poses[..., 2], strict=True)
    ]
    before, after = np.array(headings).reshape(-1, 2).T
    return after - before, way[:, -1] - distance_m
