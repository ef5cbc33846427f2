"""Where cameras are mounted, by the transforms of a recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.conversion import pose_of
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL

UPRIGHT = 0.7  # cosine: a frame whose z is nearer to the vertical than 45 degrees is a body frame
Pose = Float[np.ndarray, '4 4']


def mounts(transforms: Mapping[tuple[str, str], Any], base: str) -> dict[str, Pose]:
    """Pose in ``base`` of every frame that is connected with it, either way along the tree."""
    edges: dict[str, dict[str, Pose]] = {}
    for (parent, child), one in transforms.items():
        pose = _pose(one)
        if pose is not None:
            edges.setdefault(parent, {})[child] = pose
            edges.setdefault(child, {})[parent] = np.linalg.inv(pose)
    found, waiting = {base: np.eye(4)}, deque([base])
    while waiting:
        here = waiting.popleft()
        for there, pose in edges.get(here, {}).items():
            if there not in found:
                found[there] = found[here] @ pose
                waiting.append(there)
    return found


def _pose(transform: Any) -> Pose | None:
    """The matrix of a geometry_msgs/Transform; None where its numbers are none."""
    q, t = transform.rotation, transform.translation
    numbers = np.array([q.w, q.x, q.y, q.z, t.x, t.y, t.z], float)
    if not np.isfinite(numbers).all() or not np.linalg.norm(numbers[:4]) > 0.5:
        return None
    return pose_of([float(v) for v in numbers[:4]], [float(v) for v in numbers[4:]])


def optical(base_from_frame: Pose) -> tuple[Pose, bool]:
    """The optical frame (REP 103) of a camera's frame, and whether the frame was a body's.

    A header may name the camera's body (x forward, z up) instead of the optical frame (z forward).
    The z axis tells: of a body it points up, of a camera that looks at the horizon it lies flat.
    """
    if abs(float(base_from_frame[2, 2])) < UPRIGHT:
        return base_from_frame, False
    out = base_from_frame.copy()
    out[:3, :3] = base_from_frame[:3, :3] @ BODY_FROM_OPTICAL
    return out, True
