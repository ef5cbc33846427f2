"""A clip in the layout of PhysicalAI-AV: two cameras for a few seconds, packed in chunks.

``table`` makes the bytes of a table from its columns: parquet, or whatever stands in for it.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

CLIP, CHUNK, SECONDS, SPEED_MPS = '0a1b2c3d-0000-4000-8000-000000000001', 7, 2.0, 6.0
FOCAL_PX, SIZE = 30.0, (64, 36)
LOOKS = {'camera_front_wide_120fov': 0.0, 'camera_cross_left_120fov': math.radians(60.0)}
Table = Callable[[dict[str, list[Any]]], bytes]


def write_physical_ai(root: Path, table: Table) -> None:
    """Index, calibration, egomotion on a straight line at 100 Hz, films at 30 Hz, one sentence."""
    put(root / 'clip_index.parquet', table({'clip_id': [CLIP, 'elsewhere'], 'chunk': [CHUNK, 8]}))
    _calibration(root, table)
    times = np.arange(-0.5, SECONDS + 7.0, 0.01)
    zero, one = [0.0] * len(times), [1.0] * len(times)
    ego = {
        'timestamp': [round(t * 1e6) for t in times], 'qx': zero, 'qy': zero, 'qz': zero,
        'qw': one, 'x': (SPEED_MPS * times).tolist(), 'y': zero, 'z': zero,
        'vx': [SPEED_MPS] * len(times), 'vy': zero, 'vz': zero,
    }  # fmt: skip
    _pack(root / 'labels' / 'egomotion', 'egomotion', {'.parquet': table(ego)})
    for name in LOOKS:
        stamps = {'timestamp': [round(k / 30 * 1e6) for k in range(round(30 * SECONDS) + 1)]}
        film = _film(root / 'film.mp4', len(stamps['timestamp']))
        files = {'.mp4': film, '.timestamps.parquet': table(stamps)}
        _pack(root / 'camera' / name, name, files)
    event = {'event_start_timestamp': 1_000_000, 'coc': 'Keep speed since the road is clear.'}
    rows = {'clip_id': [CLIP], 'events': [json.dumps([event])]}
    put(root / 'reasoning' / 'ood_reasoning.parquet', table(rows))


def put(path: Path, data: bytes) -> None:
    """Write a file and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _pack(folder: Path, feature: str, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f'{feature}.chunk_{CHUNK:04d}.zip', 'w') as archive:
        for ending, data in files.items():
            archive.writestr(f'{CLIP}.{feature}{ending}', data)


def _calibration(root: Path, table: Table) -> None:
    count, names = len(LOOKS), list(LOOKS)
    clips = [CLIP] * count
    lens = {f'fw_poly_{k}': [v] * count for k, v in enumerate((0.0, FOCAL_PX, 0.0, -0.5, 0.0))}
    centre = {'width': [SIZE[0]] * count, 'height': [SIZE[1]] * count, 'cx': [32.0] * count,
              'cy': [18.0] * count}  # fmt: skip
    turns = [_optical(yaw) for yaw in LOOKS.values()]
    pose = {k: [turn[i] for turn in turns] for i, k in enumerate(('qx', 'qy', 'qz', 'qw'))}
    place = {'x': [1.7] * count, 'y': [0.0] * count, 'z': [1.5] * count}
    tables: dict[str, dict[str, list[Any]]] = {
        'camera_intrinsics': {'clip_id': clips, 'camera_name': names, **centre, **lens},
        'sensor_extrinsics': {'clip_id': clips, 'sensor_name': names, **pose, **place},
        'vehicle_dimensions': {
            'clip_id': [CLIP], 'length': [4.8], 'width': [2.1], 'height': [1.7],
            'rear_axle_to_bbox_center': [1.4], 'wheelbase': [2.85],
        },
    }  # fmt: skip
    for feature, columns in tables.items():
        name = f'{feature}.chunk_{CHUNK:04d}.parquet'
        put(root / 'calibration' / feature / name, table(columns))


def _optical(yaw: float) -> tuple[float, float, float, float]:
    """Quaternion x, y, z, w of a camera (x right, y down, z forward) that looks to ``yaw``."""
    w, z = math.cos(yaw / 2), math.sin(yaw / 2)
    a, b, c, d = 0.5, -0.5, 0.5, -0.5
    return (w * b - z * c, w * c + z * b, w * d + z * a, w * a - z * d)


def _film(path: Path, count: int) -> bytes:
    """Pictures that grow brighter."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 30.0, SIZE)
    for k in range(count):
        writer.write(np.full((SIZE[1], SIZE[0], 3), 20 + 3 * k, np.uint8))
    writer.release()
    data = path.read_bytes()
    path.unlink()
    return data
