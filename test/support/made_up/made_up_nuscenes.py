"""A folder in nuScenes format of two seconds, made up."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SPEED, RADIUS_M = 8.0, 80.0


def circle(time_s: float) -> tuple[float, float, float]:
    """Pose (x, y, heading) on a circle to the left, far from the origin."""
    angle = SPEED * time_s / RADIUS_M
    x, y = RADIUS_M * math.sin(angle), RADIUS_M * (1 - math.cos(angle))
    return 400 + x, 1100 + y, angle


def quaternion(yaw: float) -> list[float]:
    return [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]


def write_nuscenes(folder: Path) -> None:
    """Two cameras at 5 Hz (key frames at 1 Hz), a laser scanner, one parked car ahead: 2 s."""
    tables: dict[str, list[dict[str, Any]]]
    tables = {name: [] for name in ('sample', 'sample_data', 'ego_pose', 'sample_annotation')}
    base_us = 1_532_402_927_000_000
    look = {'CAM_FRONT': 0.0, 'CAM_BACK_LEFT': math.radians(110)}
    optical = [0.5, -0.5, 0.5, -0.5]
    tables['sensor'] = [{'token': n, 'channel': n, 'modality': 'camera'} for n in look]
    tables['sensor'] += [{'token': 'LIDAR_TOP', 'channel': 'LIDAR_TOP', 'modality': 'lidar'}]
    intrinsic = [[1000.0, 0, 32.0], [0, 1000.0, 18.0], [0, 0, 1]]
    tables['calibrated_sensor'] = []
    for name in (*look, 'LIDAR_TOP'):
        w, _, _, z = quaternion(look.get(name, 0.0))
        a, b, c, d = optical
        turned = [w * a - z * d, w * b - z * c, w * c + z * b, w * d + z * a]
        row = {'token': f'c_{name}', 'sensor_token': name, 'translation': [1.7, 0.0, 1.5]}
        row['rotation'] = turned if name in look else [1.0, 0, 0, 0]
        row['camera_intrinsic'] = intrinsic if name in look else []
        tables['calibrated_sensor'].append(row)
    for i in range(11):
        time_s, key = i * 0.2, i % 5 == 0
        if key:
            tables['sample'].append(
                {'token': f's{i}', 'timestamp': base_us + i * 200_000, 'scene_token': 'scene'}
            )
            tables['sample_annotation'].append({
                'token': f'a{i}', 'sample_token': f's{i}', 'instance_token': 'parked',
                'translation': [450.0, 1110.0, 0.8], 'size': [1.9, 4.6, 1.6],
                'rotation': quaternion(0.3),
            })  # fmt: skip
        for offset_us, name in ((0, 'CAM_FRONT'), (3_000, 'CAM_BACK_LEFT'), (7_000, 'LIDAR_TOP')):
            stamp = base_us + i * 200_000 + offset_us
            x, y, yaw = circle(time_s + offset_us / 1e6)
            token = f'{name}_{i}'
            tables['ego_pose'].append({
                'token': token, 'timestamp': stamp, 'translation': [x, y, 0.0],
                'rotation': quaternion(yaw),
            })  # fmt: skip
            file = f'{"samples" if key else "sweeps"}/{name}/{i}.jpg'
            tables['sample_data'].append({
                'token': token, 'sample_token': f's{i - i % 5}', 'ego_pose_token': token,
                'calibrated_sensor_token': f'c_{name}', 'filename': file, 'timestamp': stamp,
                'is_key_frame': key,
            })  # fmt: skip
            if name in look:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                picture = np.full((36, 64, 3), 20 * i, np.uint8)
                assert cv2.imwrite(str(folder / file), picture)
    tables['scene'] = [{'token': 'scene', 'name': 'scene-0061', 'log_token': 'log'}]
    tables['log'] = [{'token': 'log', 'location': 'singapore-onenorth'}]
    tables['instance'] = [{'token': 'parked', 'category_token': 'car'}]
    tables['category'] = [{'token': 'car', 'name': 'vehicle.car'}]
    (folder / 'v1.0-mini').mkdir()
    for name, rows in tables.items():
        (folder / 'v1.0-mini' / f'{name}.json').write_text(json.dumps(rows))
