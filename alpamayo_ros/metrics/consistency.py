"""How much a new plan departs from the one before it, where both speak about the same time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Consistency(NamedTuple):
    """Distance [m] of two successive plans over the time they share."""

    mean_m: float
    max_m: float


def in_frame_of(
    poses: Float[np.ndarray, 'P 3'], anchor: Float[np.ndarray, ' 3']
) -> Float[np.ndarray, 'P 3']:
    """Poses in base_link at t0, given base_link's pose ``anchor`` in odom, as poses in odom."""
    c, s = np.cos(anchor[2]), np.sin(anchor[2])
    x = anchor[0] + c * poses[:, 0] - s * poses[:, 1]
    y = anchor[1] + s * poses[:, 0] + c * poses[:, 1]
    return np.stack([x, y, poses[:, 2] + anchor[2]], axis=1)


def plan_to_plan(
    previous: Float[np.ndarray, 'P 3'],
    previous_anchor: Float[np.ndarray, ' 3'],
    current: Float[np.ndarray, 'Q 3'],
    current_anchor: Float[np.ndarray, ' 3'],
    elapsed_s: float,
    dt_s: float,
) -> Consistency | None:
    """Mean and largest distance [m] of two plans over the time they share.

    Each plan is in its own base_link; its anchor is that frame's pose in odom.  ``elapsed_s``:
    t0 of the current plan minus t0 of the previous one.  The previous plan is interpolated
    linearly between its points.  None where they share no point in time or a number is not
    finite.
    """
    numbers = (previous, previous_anchor, current, current_anchor, elapsed_s, dt_s)
    if not all(np.isfinite(n).all() for n in numbers) or elapsed_s < 0 or dt_s <= 0:
        return None
    before, now = in_frame_of(previous, previous_anchor), in_frame_of(current, current_anchor)
    time_before = (np.arange(len(before)) + 1) * dt_s
    time_now = elapsed_s + (np.arange(len(now)) + 1) * dt_s
    slack = 1e-6 * dt_s
    if not len(before):
        return None
    shared = (time_now >= time_before[0] - slack) & (time_now <= time_before[-1] + slack)
    if not shared.any():
        return None
    x, y = (np.interp(time_now[shared], time_before, before[:, i]) for i in (0, 1))
    apart = np.hypot(now[shared, 0] - x, now[shared, 1] - y)
    return Consistency(float(apart.mean()), float(apart.max()))
