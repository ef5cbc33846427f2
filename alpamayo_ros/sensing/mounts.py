"""Whether a camera looks where its name says, and where a tree of transforms has it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float

from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Rig, RigCamera
from alpamayo_ros.statuses import ConfigError

Transform = Float[np.ndarray, '4 4']
Tree = Mapping[str, tuple[str, Transform]]  # child: its parent, and the child's pose in it
SIDES = {'front': 0.0, 'left': 90.0, 'rear': 180.0, 'right': -90.0}  # deg, left positive
AWAY_DEG = 110.0  # a camera that looks farther from the side of its name is another camera
APART_DEG, APART_M = 10.0, 0.5  # a calibration moves a mount by less than this


def check_names(rig: Rig, names: Iterable[str]) -> None:
    """ConfigError where the mount of one of these cameras contradicts its name."""
    for camera in rig.cameras:
        if camera.name not in names:
            continue
        yaw_deg = _yaw_deg(camera.base_from_optical)
        for word in camera.name.split('_'):
            if abs(math.remainder(yaw_deg - SIDES.get(word, yaw_deg), 360.0)) > AWAY_DEG:
                raise ConfigError(
                    f'rig {rig.name!r}: camera {camera.name!r}: its mount looks {_said(yaw_deg)} '
                    f'(yaw_rad {camera.mount.yaw_rad:g}), which is not {word}; correct the mount '
                    'or the name'
                )


def apart(camera: RigCamera, tree: Tree, base: str) -> str:
    """How the mount in a rig and a tree of transforms differ; '' where they do not.

    A tree that does not connect the camera's frame with ``base`` says nothing.  ``frame_id`` may
    name the optical frame or the body of the camera (REP 103).
    """
    there = _between(tree, base, camera.frame_id)
    if there is None:
        return ''
    mine = camera.base_from_optical
    optical = there[:3, :3]
    turns = [_turn_deg(mine[:3, :3], r) for r in (optical, optical @ BODY_FROM_OPTICAL)]
    away_m = float(np.linalg.norm(mine[:3, 3] - there[:3, 3]))
    if min(turns) <= APART_DEG and away_m <= APART_M:
        return ''
    named = camera.frame_id.removesuffix('_frame').endswith('optical')
    turn, seen = (turns[0], there) if named or turns[0] <= turns[1] else (turns[1], _body(there))
    return (
        f'camera {camera.name}: the rig has it {_place(mine)}, /tf_static ({camera.frame_id}) '
        f'{_place(seen)}: {turn:.0f} deg and {away_m:.2f} m apart'
    )


def _body(pose: Transform) -> Transform:
    out = pose.copy()
    out[:3, :3] = pose[:3, :3] @ BODY_FROM_OPTICAL
    return out


def _between(tree: Tree, base: str, frame: str) -> Transform | None:
    """Pose of ``frame`` in ``base``, None where the tree does not connect them."""
    (root, mine), (other, theirs) = _to_root(tree, frame), _to_root(tree, base)
    return np.linalg.inv(theirs) @ mine if root == other != '' else None


def _to_root(tree: Tree, frame: str) -> tuple[str, Transform]:
    """The frame above all others, and the pose of ``frame`` in it; a circle has no such frame."""
    pose, seen = np.eye(4), {frame}
    while frame in tree:
        frame, step = tree[frame]
        pose = step @ pose
        if frame in seen:
            return '', pose
        seen.add(frame)
    return frame, pose


def _turn_deg(a: Float[np.ndarray, '3 3'], b: Float[np.ndarray, '3 3']) -> float:
    """Angle between two attitudes."""
    return math.degrees(math.acos(float(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1))))


def _yaw_deg(base_from_optical: Transform) -> float:
    return math.degrees(math.atan2(base_from_optical[1, 2], base_from_optical[0, 2]))


def _said(yaw_deg: float) -> str:
    side = 'left' if yaw_deg >= 0 else 'right'
    return f'{abs(yaw_deg):.0f} deg to the {side}'


def _place(pose: Transform) -> str:
    x, y, z = pose[:3, 3]
    upside = ', upside down' if pose[2, 1] > 0 else ''  # an optical y axis looks down
    return f'at ({x:.2f}, {y:.2f}, {z:.2f}) m, looking {_said(_yaw_deg(pose))}{upside}'
