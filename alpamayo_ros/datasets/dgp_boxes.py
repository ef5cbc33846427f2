"""Boxes of other road users in a DGP scene: read, placed in odom, given a velocity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.sensor_writer import BoxRow
from alpamayo_ros.datasets.conversion import pose_of
from alpamayo_ros.units import NS

LARGE_M = 6.5  # longer than this: truck
SMALL_M = 1.2  # shorter than this: pedestrian


@dataclass(frozen=True, slots=True)
class Box:
    """One box: ``in_base`` is the pose of its centre in base_link, ``size_m`` length to height."""

    id: int
    in_base: Float[np.ndarray, '4 4']
    size_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class BoxSet:
    """All boxes of one instant, and where base_link was."""

    stamp_ns: int
    base_in_world: Float[np.ndarray, '4 4']
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Boxes of one instant in odom."""

    stamp_ns: int
    rows: tuple[BoxRow, ...]


def read_boxes(path: Path, stamp_ns: int, base_in_world: Float[np.ndarray, '4 4']) -> BoxSet:
    """The boxes of one annotation file; KeyError or ValueError where it is none."""
    boxes = []
    for item in json.loads(path.read_text())['annotations']:
        box = item['box']
        q, t = box['pose']['rotation'], box['pose']['translation']
        pose = pose_of([q['qw'], q['qx'], q['qy'], q['qz']], [t['x'], t['y'], t['z']])
        size = (float(box['length']), float(box['width']), float(box['height']))
        boxes.append(Box(int(item['instance_id']), pose, size))
    return BoxSet(stamp_ns, base_in_world, tuple(boxes))


def rows(sets: Sequence[BoxSet], odom_from_world: Float[np.ndarray, '4 4']) -> list[Placed]:
    """Every set of boxes in odom.

    Velocities are differences to the sets before and after, zero where an object is seen once.
    """
    places = [
        {box.id: odom_from_world @ found.base_in_world @ box.in_base for box in found.boxes}
        for found in sets
    ]
    out = []
    for i, found in enumerate(sets):
        near = [k for k in (i - 1, i, i + 1) if 0 <= k < len(sets)]
        made = []
        for box in found.boxes:
            seen = [k for k in near if box.id in places[k]]
            dt_s = (sets[seen[-1]].stamp_ns - sets[seen[0]].stamp_ns) / NS
            moved = places[seen[-1]][box.id][:3, 3] - places[seen[0]][box.id][:3, 3]
            velocity = moved / dt_s if dt_s else np.zeros(3)
            pose = places[i][box.id]
            made.append(BoxRow(box.id, kind_by_size(box.size_m), pose, velocity, box.size_m))
        out.append(Placed(found.stamp_ns, tuple(made)))
    return out


def kind_by_size(size_m: tuple[float, float, float]) -> str:
    """A guess, for scenes without a list of classes."""
    if size_m[0] > LARGE_M:
        return 'truck'
    return 'pedestrian' if size_m[0] < SMALL_M else 'car'
