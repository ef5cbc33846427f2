"""A log from a folder in nuScenes format: poses of the ego and boxes of others.

Its maps are not read.  Boxes come at 2 Hz and are interpolated.  The pose is that of the rear
axle.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import numpy as np

from alpamayo_ros.datasets.conversion import pose_of
from alpamayo_ros.datasets.log_build import Material, Seen
from alpamayo_ros.datasets.log_format import Kind, LogError, Provenance
from alpamayo_ros.datasets.nuscenes_tables import Row, SceneTables, read_tables

KINDS: tuple[tuple[str, Kind], ...] = (  # first match of the category's beginning
    ('human', 'pedestrian'),
    ('vehicle.bicycle', 'cyclist'),
    ('vehicle.motorcycle', 'motorcycle'),
    ('vehicle.bus', 'bus'),
    ('vehicle.truck', 'truck'),
    ('vehicle.trailer', 'truck'),
    ('vehicle', 'car'),
    ('movable_object.trafficcone', 'cone'),
    ('movable_object.barrier', 'barrier'),
)  # anything else: other
ZOE_M = (4.084, 1.73)
AXLE_TO_CENTRE_M = 1.3  # half a wheelbase
S_PER_US = 1e-6


def read(folder: Path, scene: str = '', version: str = '') -> Material:
    """What one scene of the folder holds; ``scene`` '' : the first."""
    try:
        return _material(read_tables(folder, scene, version))
    except (FileNotFoundError, ValueError) as error:
        if isinstance(error, LogError):
            raise
        raise LogError(f'{folder}: no sound scene in nuScenes format: {error}') from None


def _material(tables: SceneTables) -> Material:
    poses = {int(row['timestamp']): _place(row) for row in tables.poses}
    stamps = sorted(poses)
    ego = np.array([poses[s] for s in stamps])
    ahead = np.stack([np.cos(ego[:, 2]), np.sin(ego[:, 2])], 1) * AXLE_TO_CENTRE_M
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    about: dict[str, tuple[str, float, float]] = {}
    for time_us, row, category in tables.annotations:
        key = str(row['instance_token'])
        rows[key].append((time_us * S_PER_US, *_place(row)))
        size = row['size']
        about[key] = (category, float(size[1]), float(size[0]))
    time_s = np.array(stamps) * S_PER_US
    return Material(
        name=tables.name,
        provenance=Provenance(
            source=f'nuScenes format: {tables.version}, {tables.name} {tables.location}'.strip(),
            licence='that of the data set; nuScenes itself: CC BY-NC-SA 4.0, not commercial',
            real=('poses of the ego, boxes of others',),
            computed=('states between sightings, by interpolation', 'speeds, by differences'),
            assumed=('there is no map: asphalt lies where somebody drives',),
        ),
        ego=Seen('ego', 'car', *ZOE_M, time_s, ego[:, :2] + ahead, ego[:, 2]),
        agents=[_agent(key, about[key], np.array(found)) for key, found in rows.items()],
    )


def _agent(key: str, about: tuple[str, float, float], rows: np.ndarray) -> Seen:
    category, length, width = about
    kind: Kind = next((k for start, k in KINDS if category.startswith(start)), 'other')
    return Seen(key, kind, length, width, rows[:, 0], rows[:, 1:3], rows[:, 3])


def _place(row: Row) -> tuple[float, float, float]:
    """x, y and heading of a pose."""
    pose = pose_of(row['rotation'], row['translation'])
    return float(pose[0, 3]), float(pose[1, 3]), math.atan2(pose[1, 0], pose[0, 0])
