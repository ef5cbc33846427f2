"""The mounts that a recording says of itself in /tf_static, against those of the rig."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import Outline
from alpamayo_ros.datasets.conversion import pose_of
from alpamayo_ros.sensing.mounts import Transform, apart
from alpamayo_ros.sensing.rig import Rig

TOPIC, TYPE = '/tf_static', 'tf2_msgs/msg/TFMessage'
FIRST_S = 5.0  # after its first message everybody who publishes mounts has done so


def contradictions(bag: Path, found: Outline, rig: Rig, names: Collection[str]) -> list[str]:
    """Sentences, one a camera of ``names`` that the rig mounts elsewhere than the recording."""
    tree = _tree(bag, found)
    base = rig.odometry.child_frame_id
    cameras = [camera for camera in rig.cameras if camera.name in names] if tree else []
    return [text for camera in cameras if (text := apart(camera, tree, base))]


def _tree(bag: Path, found: Outline) -> dict[str, tuple[str, Transform]]:
    """The transforms of the first messages; a child that is given twice is where it was last."""
    times = found.times_s.get(TOPIC, np.empty(0))
    out: dict[str, tuple[str, Transform]] = {}
    if found.types.get(TOPIC) != TYPE or not len(times):
        return out
    left = int((times <= times[0] + FIRST_S).sum())
    for message in BagReader(bag, {TOPIC}):
        for row in message.message.transforms:
            pose = _pose(row.transform)
            if pose is not None:
                parent = row.header.frame_id.lstrip('/')
                out[row.child_frame_id.lstrip('/')] = (parent, pose)
        left -= 1
        if not left:  # what follows need not be read
            break
    return out


def _pose(transform: Any) -> Transform | None:
    """The matrix of a geometry_msgs/Transform; None where its numbers are no pose."""
    t, q = transform.translation, transform.rotation
    place, turn = (t.x, t.y, t.z), (q.w, q.x, q.y, q.z)
    sound = np.isfinite(place).all() and 0.99 < np.linalg.norm(turn) < 1.01
    return pose_of(turn, place) if sound else None
