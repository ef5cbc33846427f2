"""The yardstick of open loop: a car that goes on with the speed and the yaw rate of t0."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

NAME = 'constant velocity and turn rate'


def constant_turn(
    speed_mps: float, yaw_rate_rps: float, points: int, dt_s: float
) -> Float[np.ndarray, 'P 3']:
    """Poses x, y, heading in base_link at t0, point i at (i + 1) * dt_s: arcs of one circle.

    CTRV of Schubert, Richter and Wanielik 2008, "Comparison and evaluation of advanced motion
    models for vehicle tracking".  It sees no picture: what a model adds shows beside it.
    """
    time = np.arange(1, points + 1) * dt_s
    heading = yaw_rate_rps * time
    half = heading / 2
    chord = speed_mps * time * np.sinc(half / np.pi)
    return np.stack([chord * np.cos(half), chord * np.sin(half), heading], axis=1)
