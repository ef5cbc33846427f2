"""From a DGP scene (TRI-ML/dgp) to a bag and a rig file; the result is called *converted*.

Real: images, intrinsics, mounts, poses.  Computed: speeds, from the poses.  Assumed: the vehicle's
dimensions, which the scene does not hold.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jaxtyping import Float

from alpamayo_ros.evaluation.bag import NS
from alpamayo_ros.evaluation.sensor_bag import SensorBag
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, Mount, Rig, RigCamera, load_rig

NAMESPACE = '/alpamayo'
YAW_OF = {
    'front': 0.0,
    'front_left': 60.0,
    'front_right': -60.0,
    'rear_left': 120.0,
    'rear': 180.0,
    'rear_right': -120.0,
}
# The published scene dates itself to the year 2464: its clock took tenths of a microsecond for
# microseconds.  Divided by ten it is June 2019, frames come at 10 Hz, traffic drives 10 to 16 m/s.
LAST_BELIEVABLE_YEAR = 2100


@dataclass(frozen=True, slots=True)
class DgpImage:
    """One picture of one camera: ``base_in_world`` is the vehicle's pose when it was taken."""

    camera: str
    stamp_ns: int
    path: Path
    base_in_world: Float[np.ndarray, '4 4']


@dataclass(frozen=True, slots=True)
class DgpScene:
    """Images in time order, and the rig they were taken with."""

    rig: Rig
    images: tuple[DgpImage, ...]
    clock_divisor: int


def read_scene(folder: Path) -> DgpScene:
    """Read ``scene_*.json`` and its calibration; FileNotFoundError names what is missing."""
    scenes = sorted(folder.glob('scene_*.json'))
    if not scenes:
        raise FileNotFoundError(f'no scene_*.json in {folder}; is it a DGP scene folder?')
    scene = json.loads(scenes[0].read_text())
    key = scene['samples'][0]['calibration_key']
    calibration = json.loads((folder / 'calibration' / f'{key}.json').read_text())
    pictures = [d for d in scene['data'] if 'image' in d['datum']]
    sizes = {d['id']['name']: d['datum']['image'] for d in pictures}
    mounts, cameras = {}, []
    for name, extrinsic, intrinsic in zip(
        calibration['names'], calibration['extrinsics'], calibration['intrinsics'], strict=True
    ):
        if name in sizes:
            mounts[name] = _pose(extrinsic)
            cameras.append((name, _camera(mounts[name], intrinsic, sizes[name])))
    divisor = 10 if _year(pictures[0]) > LAST_BELIEVABLE_YEAR else 1
    names = {name: camera.name for name, camera in cameras}
    images = [
        DgpImage(
            names[d['id']['name']],
            _stamp_ns(d['id']['timestamp'], divisor),
            _image_path(folder, d['datum']['image']['filename']),
            _pose(d['datum']['image']['pose']) @ np.linalg.inv(mounts[d['id']['name']]),
        )
        for d in pictures
    ]
    order = list(YAW_OF)
    ordered = sorted((c for _, c in cameras), key=lambda c: order.index(c.name))
    rig = Rig(
        name='surround_dgp',
        description='converted from a DGP scene; vehicle dimensions are assumed',
        cameras=tuple(ordered),
        vehicle=load_rig('sim').vehicle,
    )
    images.sort(key=lambda i: (i.stamp_ns, order.index(i.camera)))
    return DgpScene(rig, tuple(images), divisor)


def convert(folder: Path, out: Path) -> DgpScene:
    """Write ``out`` (.mcap) and, beside it, ``.rig.yaml``; returns what was read."""
    scene = read_scene(folder)
    with SensorBag(out) as bag:
        first = scene.images[0].stamp_ns
        bag.transforms(
            '/tf_static',
            first,
            {('base_link', c.frame_id): c.base_from_optical for c in scene.rig.cameras},
        )
        for stamp_ns, pose, linear, angular in _motion(scene):
            odometry = f'{NAMESPACE}/{scene.rig.odometry.topic}'
            bag.odometry(odometry, stamp_ns, ('odom', 'base_link'), pose, linear, angular)
            bag.transforms('/tf', stamp_ns, {('odom', 'base_link'): pose})
            for image in scene.images:
                if image.stamp_ns == stamp_ns:
                    camera = scene.rig.camera(image.camera)
                    data = image.path.read_bytes()
                    topic = f'{NAMESPACE}/{camera.topic}'
                    bag.compressed_image(topic, stamp_ns, camera.frame_id, data)
                    bag.camera_info(f'{NAMESPACE}/{camera.info_topic}', stamp_ns, camera)
    rig_yaml = yaml.safe_dump(
        scene.rig.model_dump(mode='json', exclude_none=True), sort_keys=False
    )
    out.with_suffix('.rig.yaml').write_text('# Converted from a DGP scene.\n' + rig_yaml)
    return scene


def _motion(scene: DgpScene) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Stamp, pose in odom (the first pose is its origin), twist in base_link, per instant."""
    poses = {image.stamp_ns: image.base_in_world for image in scene.images}
    stamps = sorted(poses)
    origin = np.linalg.inv(poses[stamps[0]])
    placed = [origin @ poses[stamp] for stamp in stamps]
    out = []
    for i, stamp in enumerate(stamps):
        a, b = max(0, i - 1), min(len(stamps) - 1, i + 1)
        dt_s = (stamps[b] - stamps[a]) / NS or math.inf
        moved = placed[i][:3, :3].T @ (placed[b][:3, 3] - placed[a][:3, 3])
        turned = placed[a][:3, :3].T @ placed[b][:3, :3]
        spin = np.array(
            [turned[2, 1] - turned[1, 2], turned[0, 2] - turned[2, 0], turned[1, 0] - turned[0, 1]]
        )
        out.append((stamp, placed[i], moved / dt_s, spin / 2 / dt_s))
    return out


def _camera(
    base_from_optical: Float[np.ndarray, '4 4'], intrinsic: dict[str, float], image: dict[str, Any]
) -> RigCamera:
    """A rig camera named by where it looks."""
    body = base_from_optical[:3, :3] @ BODY_FROM_OPTICAL.T
    yaw = math.atan2(body[1, 0], body[0, 0])
    name = min(YAW_OF, key=lambda n: abs(math.remainder(math.radians(YAW_OF[n]) - yaw, math.tau)))
    x, y, z = (float(v) for v in base_from_optical[:3, 3])
    i = intrinsic
    return RigCamera(
        name=name,
        topic=f'camera/{name}/image_raw/compressed',
        info_topic=f'camera/{name}/camera_info',
        frame_id=f'camera_{name}_optical',
        width=image['width'],
        height=image['height'],
        camera_matrix=(i['fx'], i['skew'], i['cx'], 0.0, i['fy'], i['cy'], 0.0, 0.0, 1.0),
        mount=Mount(
            x_m=x,
            y_m=y,
            z_m=z,
            roll_rad=math.atan2(body[2, 1], body[2, 2]),
            pitch_rad=math.asin(max(-1.0, min(1.0, -float(body[2, 0])))),
            yaw_rad=yaw,
        ),
        rate_hz=10.0,
    )


def _pose(data: dict[str, dict[str, float]]) -> Float[np.ndarray, '4 4']:
    """4 x 4 matrix of a DGP pose (unit quaternion qw qx qy qz, metres)."""
    q, t = data['rotation'], data['translation']
    w, x, y, z = np.array([q['qw'], q['qx'], q['qy'], q['qz']]) / math.sqrt(
        sum(v * v for v in q.values())
    )
    out = np.eye(4)
    out[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    out[:3, 3] = t['x'], t['y'], t['z']
    return out


def _year(datum: dict[str, Any]) -> int:
    return int(datum['id']['timestamp'][:4])


def _stamp_ns(text: str, divisor: int) -> int:
    """Nanoseconds of an ISO 8601 time in UTC, exactly, divided by the clock's divisor."""
    at = datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=timezone.utc)
    since = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    whole_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return whole_us * 1000 // divisor


def _image_path(folder: Path, name: str) -> Path:
    """The image inside the scene's folder; ValueError for a name that leads out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f'{name!r} leads out of the scene')
    return path
