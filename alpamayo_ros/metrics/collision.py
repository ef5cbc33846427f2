"""Oriented boxes of the ego and of others, at the same times: do they touch.

A box is a row (x, y, heading, length, width) of its middle; metres and radians in any one frame.
Touching counts as overlap, as in ``simulation.oriented_boxes``.  A number that is not finite
counts as overlap in ``overlap`` (fail closed) and makes the metrics 'not evaluable'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.metrics.displacement import index_of


class Footprint(NamedTuple):
    """The ego's box: its middle ahead of the rear axle, its length and its width [m]."""

    centre_m: float
    length_m: float
    width_m: float


def overlap(a: Float[np.ndarray, '*A 5'], b: Float[np.ndarray, '*B 5']) -> Bool[np.ndarray, '*C']:
    """Whether boxes touch; rows broadcast (two single boxes give an array without axes).

    Separating axes of two rectangles (Gottschalk et al. 1996): apart when the distance of the
    middles along one of the four axes exceeds the two half extents along it.
    """
    turn = b[..., 2] - a[..., 2]
    c, s = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    apart = b[..., :2] - a[..., :2]
    a_l, a_w, b_l, b_w = a[..., 3] / 2, a[..., 4] / 2, b[..., 3] / 2, b[..., 4] / 2
    a_x, a_y = np.cos(a[..., 2]), np.sin(a[..., 2])
    b_x, b_y = np.cos(b[..., 2]), np.sin(b[..., 2])
    x, y = apart[..., 0], apart[..., 1]
    separated = (
        (np.abs(x * a_x + y * a_y) > a_l + c * b_l + s * b_w)
        | (np.abs(y * a_x - x * a_y) > a_w + s * b_l + c * b_w)
        | (np.abs(x * b_x + y * b_y) > b_l + c * a_l + s * a_w)
        | (np.abs(y * b_x - x * b_y) > b_w + s * a_l + c * a_w)
    )
    return np.asarray(~separated)


def ego_boxes(poses: Float[np.ndarray, 'P 3'], vehicle: Footprint) -> Float[np.ndarray, 'P 5']:
    """Boxes of the ego from poses of its rear axle."""
    heading = poses[:, 2]
    ahead = vehicle.centre_m * np.stack([np.cos(heading), np.sin(heading)], axis=1)
    size = np.broadcast_to([vehicle.length_m, vehicle.width_m], (len(poses), 2))
    return np.concatenate([poses[:, :2] + ahead, heading[:, None], size], axis=1)


def collision_at_times(
    poses: Float[np.ndarray, 'P 3'],
    vehicle: tuple[float, float, float],
    objects: Sequence[Float[np.ndarray, '_ 5'] | None] | None,
) -> Bool[np.ndarray, ' P'] | None:
    """Whether the ego touches an object at each time; ``vehicle``: (centre_m, length_m, width_m).

    ``objects``: the boxes at the time of each pose, an empty array where there are none.  None
    where objects are not known at one of the times (cut both to a shorter horizon then), or a
    number is not finite or a size negative.
    """
    if objects is None or len(objects) != len(poses) or any(o is None for o in objects):
        return None
    counts = [len(o) for o in objects if o is not None]
    others = np.concatenate([np.zeros((0, 5)), *(o for o in objects if o is not None)])
    ego = ego_boxes(poses, Footprint(*vehicle))
    if not (np.isfinite(ego).all() and np.isfinite(others).all()):
        return None
    if (others[:, 3:] < 0).any() or min(vehicle[1:]) < 0:
        return None
    time = np.repeat(np.arange(len(poses)), counts)
    touched = np.zeros(len(poses), bool)
    touched[time[overlap(ego[time], others)]] = True
    return touched


def collision_up_to_t(
    poses: Float[np.ndarray, 'P 3'],
    vehicle: tuple[float, float, float],
    objects: Sequence[Float[np.ndarray, '_ 5'] | None] | None,
    t_s: float,
    dt_s: float,
) -> float | None:
    """1.0 where the plan touches an object at any of its points up to ``t_s``, else 0.0.

    Its mean over cycles is the collision rate up to t (as ST-P3, Hu et al. 2022, but with
    oriented boxes instead of a 0.5 m grid).
    """
    index = index_of(t_s, dt_s, len(poses))
    if index is None or objects is None:
        return None
    touched = collision_at_times(poses[: index + 1], vehicle, objects[: index + 1])
    return None if touched is None else float(touched.any())
