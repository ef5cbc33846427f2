"""Whether somebody ahead would be touched soon, if both went on as they do.

Bound and horizon are those of nuPlan's ``time_to_collision_within_bound`` (Caesar et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from alpamayo_ros.metrics.collision import Footprint, ego_boxes, overlap

LEAST_S, STEP_S, HORIZON_S = 0.95, 0.1, 3.0
STANDS_MPS = 0.005  # nuPlan: who stands runs into nobody


def ttc_within_bound(
    poses: Float[np.ndarray, 'P 3'],
    speed_mps: Float[np.ndarray, ' P'],
    vehicle: tuple[float, float, float],
    objects: Sequence[Float[np.ndarray, '_ 6'] | None] | None,
    dt_s: float,
) -> float | None:
    """1.0 where in the first 3 s of a plan nobody ahead is less than 0.95 s away, else 0.0.

    At each time the ego and every object keep speed and heading; 'ahead' has its middle before
    the ego's rear axle.  Objects: x, y, heading, length, width [m, rad], speed [m/s].  None where
    objects are not known at one of these times, or a number is not finite.
    """
    points = min(round(HORIZON_S / dt_s), len(poses))
    known = None if objects is None else [o for o in objects[:points] if o is not None]
    if known is None or not points or len(known) < points:
        return None
    poses, speed_mps = poses[:points], speed_mps[:points]
    others = np.concatenate([np.zeros((0, 6)), *known])
    if not all(np.isfinite(a).all() for a in (poses, speed_mps, others)):
        return None
    at = np.repeat(np.arange(points), [len(o) for o in known])
    apart = others[:, :2] - poses[at, :2]
    heading = poses[at, 2]
    ahead = apart[:, 0] * np.cos(heading) + apart[:, 1] * np.sin(heading) > 0
    counts = ahead & (speed_mps[at] > STANDS_MPS) & _in_reach(apart, speed_mps[at], others)
    at, others = at[counts], others[counts]
    later_s = np.arange(0.0, LEAST_S, STEP_S)[:, None]
    ego = ego_boxes(poses, Footprint(*vehicle))[at]
    touched = overlap(_moved(ego, speed_mps[at], later_s), _moved(others, others[:, 5], later_s))
    return float(not touched.any())


def _in_reach(
    apart: Float[np.ndarray, 'n 2'], speed_mps: Float[np.ndarray, ' n'], others: np.ndarray
) -> np.ndarray:
    """Whether two could meet within the bound at all; boxes of 20 m at most matter."""
    reach = 20.0 + LEAST_S * (speed_mps + np.abs(others[:, 5])) + others[:, 3]
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]) < reach)


def _moved(
    boxes: Float[np.ndarray, 'n _'], speed_mps: Float[np.ndarray, ' n'], time_s: np.ndarray
) -> Float[np.ndarray, 't n 5']:
    """The boxes at each of the times, straight on."""
    out = np.broadcast_to(boxes[:, :5], (len(time_s), len(boxes), 5)).copy()
    out[..., 0] += time_s * speed_mps * np.cos(boxes[:, 2])
    out[..., 1] += time_s * speed_mps * np.sin(boxes[:, 2])
    return out
