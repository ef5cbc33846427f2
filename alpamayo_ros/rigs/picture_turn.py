"""How far the car turned between two pictures, as one camera saw it.

Every corner that stands still fulfils the epipolar constraint of ``heading.py``.  Here the way of
the car is known, by its speed and the stated mount, and the turn about the vertical is sought.
The flow of the way itself so drops out, however near a corner is; a mean or a median over all
that moves would take it for a turn wherever there is more to see on one side of the road.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from alpamayo_ros.rigs.flow import Tracks
from alpamayo_ros.rigs.heading import NEAR, Vectors, unit
from alpamayo_ros.sensing.rig import RigCamera, rotation_xyz

STEPS = 3  # of Newton; the turn of one interval is small
LEAST_CORNERS = 15


def picture_turn(camera: RigCamera, found: Tracks, driven_m: float) -> float:
    """Turn [rad] between two pictures, to the left, of a car that drove ``driven_m`` along x.

    NaN where too few corners were followed.  Only those that cannot slide along an edge count:
    the painted lines of a bend look the same in every picture, and say that nothing turns.
    """
    used = found.pointed & np.isfinite(found.before).all(axis=1)
    used &= np.isfinite(found.after).all(axis=1)
    if used.sum() < LEAST_CORNERS or not driven_m:
        return math.nan
    base = camera.base_from_optical[:3, :3]
    one, two = unit(found.before[used]) @ base.T, unit(found.after[used]) @ base.T
    arm_m = float(camera.mount.x_m) + driven_m / 2  # a turn moves the camera aside by it
    turn = 0.0
    for _ in range(STEPS):
        turn += _step(one, two @ rotation_xyz(0.0, 0.0, turn).T, driven_m, arm_m, turn)
    return turn


def _step(one: Vectors, two: Vectors, driven_m: float, arm_m: float, turn_rad: float) -> float:
    """What the turn is still wrong by: the least sum of angles beside the flow lines.

    Each corner says a turn; the least sum is their median, weighed by how far a turn would move
    the corner off its line.  It bears other road users as any median does.
    """
    moved = np.array([driven_m, arm_m * turn_rad, 0.0])
    planes = np.cross(two, one)
    aside = np.column_stack([-two[:, 1], two[:, 0], np.zeros(len(two))])
    lever = np.cross(aside, one) @ moved + arm_m * planes[:, 1]
    lever = np.where(lever == 0.0, np.finfo(float).tiny, lever)
    way = moved / np.linalg.norm(moved)
    sine = np.sqrt(np.maximum(1.0 - (one @ way) ** 2, NEAR**2))
    return _median(-(planes @ moved) / lever, np.abs(lever) / sine)


def _median(values: Float[np.ndarray, 'N'], weights: Float[np.ndarray, 'N']) -> float:
    """The value with half of the weight on either side."""
    order = np.argsort(values)
    up_to = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(up_to, up_to[-1] / 2)])
