"""Whether the ego's box leaves the drivable area."""

from __future__ import annotations

import numpy as np
import shapely
from jaxtyping import Bool, Float

from alpamayo_ros.metrics.collision import Footprint, ego_boxes

TOLERANCE_M = 0.3  # nuPlan, drivable_area_compliance: a corner may be this far outside


def corners(boxes: Float[np.ndarray, 'P 5']) -> Float[np.ndarray, 'P 4 2']:
    """Corners of boxes (x, y, heading, length, width), counter-clockwise from the front left."""
    ahead = np.stack([np.cos(boxes[:, 2]), np.sin(boxes[:, 2])], axis=1)[:, None]
    left = np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1)
    along = np.array([1.0, -1.0, -1.0, 1.0])[:, None] * boxes[:, 3, None, None] / 2
    across = np.array([1.0, 1.0, -1.0, -1.0])[:, None] * boxes[:, 4, None, None] / 2
    return np.asarray(boxes[:, None, :2] + along * ahead + across * left)


def offroad(
    poses: Float[np.ndarray, 'P 3'],
    vehicle: tuple[float, float, float],
    drivable: shapely.Geometry | None,
    tolerance_m: float = TOLERANCE_M,
) -> Bool[np.ndarray, ' P'] | None:
    """At which times a corner of the ego's box is further than 0.3 m outside of ``drivable``.

    ``poses``: of the rear axle, in the frame of the polygon(s) ``drivable``.  After nuPlan's
    drivable_area_compliance (Caesar et al. 2021).  None where the area is not known or empty, or
    a pose is not finite.
    """
    if drivable is None or drivable.is_empty or not np.isfinite(poses).all():
        return None
    points = corners(ego_boxes(poses, Footprint(*vehicle)))
    away = shapely.distance(drivable, shapely.points(points))
    return np.asarray((away > tolerance_m).any(axis=1))


def offroad_up_to_end(
    poses: Float[np.ndarray, 'P 3'],
    vehicle: tuple[float, float, float],
    drivable: shapely.Geometry | None,
) -> float | None:
    """1.0 where the plan leaves the drivable area anywhere over its full horizon, else 0.0."""
    outside = offroad(poses, vehicle, drivable) if len(poses) else None
    return None if outside is None else float(outside.any())
