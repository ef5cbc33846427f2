"""Plan: a trajectory with its anchor in odom, validity and source; and changes of frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from alpamayo_ros.types import EgoState, Trajectory

Source = Literal['model', 'fallback']


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan as it may be driven: ``trajectory`` in base_link at ``anchor``, the ego at t0.

    Valid until ``valid_until_ns``; afterwards whoever follows it must brake.  ``fault_mask`` names
    the faults under which it was made, '' for none.
    """

    id: int
    t0_ns: int
    anchor: EgoState
    trajectory: Trajectory
    valid_until_ns: int
    source: Source
    speed_cap_mps: float
    fault_mask: tuple[str, ...] = ()

    def poses_in_odom(self) -> Float[np.ndarray, 'P 3']:
        """Poses x, y, heading in odom."""
        t = self.trajectory
        return to_odom(np.stack([t.x_m, t.y_m, t.heading_rad], axis=-1), self.anchor)


def to_odom(poses: Float[np.ndarray, '*n 3'], anchor: EgoState) -> Float[np.ndarray, '*n 3']:
    """Poses in base_link at ``anchor`` -> odom."""
    cos, sin = np.cos(anchor.heading_rad), np.sin(anchor.heading_rad)
    x, y, heading = poses[..., 0], poses[..., 1], poses[..., 2]
    return np.stack(
        [
            anchor.x_m + cos * x - sin * y,
            anchor.y_m + sin * x + cos * y,
            heading + anchor.heading_rad,
        ],
        axis=-1,
    )


def to_base(poses: Float[np.ndarray, '*n 3'], anchor: EgoState) -> Float[np.ndarray, '*n 3']:
    """Poses in odom -> base_link at ``anchor``; headings stay continuous along the first axis."""
    cos, sin = np.cos(anchor.heading_rad), np.sin(anchor.heading_rad)
    x, y = poses[..., 0] - anchor.x_m, poses[..., 1] - anchor.y_m
    heading = poses[..., 2] - anchor.heading_rad
    if heading.size:  # the same whole turns off every heading, so that none jumps
        heading = heading - 2 * np.pi * np.round(heading.flat[0] / (2 * np.pi))
    return np.stack([cos * x + sin * y, -sin * x + cos * y, heading], axis=-1)


def sample(
    trajectory: Trajectory, start: EgoState | None, time_s: Float[np.ndarray, ' T']
) -> dict[str, Float[np.ndarray, ' T']]:
    """The trajectory at times after its t0, linear between points, held at both ends.

    Keys: x_m, y_m, heading_rad, speed_mps, acceleration_mps2, curvature_1pm.  ``start`` gives the
    speed at t0 itself; the pose there is the origin.
    """
    n = len(trajectory.x_m)
    knots = np.arange(n + 1) * trajectory.dt_s
    first = {
        'x_m': 0.0,
        'y_m': 0.0,
        'heading_rad': 0.0,
        'speed_mps': trajectory.speed_mps[0] if start is None else max(start.speed_mps, 0.0),
    }
    out: dict[str, Float[np.ndarray, ' T']] = {}
    for name in ('x_m', 'y_m', 'heading_rad', 'speed_mps', 'acceleration_mps2', 'curvature_1pm'):
        values = getattr(trajectory, name)
        column = np.concatenate([[first.get(name, float(values[0]))], values])
        out[name] = np.interp(time_s, knots, column)
    return out
