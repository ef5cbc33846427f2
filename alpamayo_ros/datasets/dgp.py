"""From a DGP scene (TRI-ML/dgp) to a bag and a rig file; the result is called *converted*.

Real: images, intrinsics, mounts, poses, boxes of others.  Computed: speeds, from the poses.
Assumed: the vehicle's dimensions, which the scene does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.datasets import conversion
from alpamayo_ros.datasets.conversion import NAMESPACE, Facts, velocities
from alpamayo_ros.datasets.dgp_boxes import BoxSet, read_boxes, rows
from alpamayo_ros.datasets.named_cameras import YAW_OF, camera, names_of
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.units import NS

# The published scene dates itself to the year 2464: its clock took tenths of a microsecond for
# microseconds.  Divided by ten it is June 2019, frames come at 10 Hz, traffic drives 10 to 16 m/s.
LAST_BELIEVABLE_YEAR = 2100
RATE_HZ = 10.0
BOXES_3D = '1'  # DGP's number of the annotation type


@dataclass(frozen=True, slots=True)
class DgpImage:
    """One picture of one camera: ``base_in_world`` is the vehicle's pose when it was taken."""

    camera: str
    stamp_ns: int
    path: Path
    base_in_world: Float[np.ndarray, '4 4']


@dataclass(frozen=True, slots=True)
class DgpScene:
    """Images in time order, the rig they were taken with, and sets of boxes.

    ``facts``: what became of it; empty before the conversion.
    """

    rig: Rig
    images: tuple[DgpImage, ...]
    clock_divisor: int
    boxes: tuple[BoxSet, ...] = ()
    facts: Facts | None = None


def read_scene(folder: Path) -> DgpScene:
    """Read ``scene_*.json`` and its calibration; FileNotFoundError names what is missing."""
    scenes = sorted(folder.glob('scene_*.json'))
    if not scenes:
        raise FileNotFoundError(f'no scene_*.json in {folder}; is it a DGP scene folder?')
    scene = json.loads(scenes[0].read_text())
    if not isinstance(scene, dict) or not {'samples', 'data'} <= set(scene):
        kind = 'expected samples and data; name the folder of one scene, not of the data set'
        raise ValueError(f'{scenes[0]}: no scene of DGP: {kind}')
    key = scene['samples'][0]['calibration_key']
    calibration = json.loads((folder / 'calibration' / f'{key}.json').read_text())
    pictures = [d for d in scene['data'] if 'image' in d['datum']]
    sizes = {d['id']['name']: d['datum']['image'] for d in pictures}
    found = zip(calibration['names'], calibration['extrinsics'], strict=True)
    mounts = {name: _pose(extrinsic) for name, extrinsic in found if name in sizes}
    names, cameras = names_of(mounts), []
    for name, i in zip(calibration['names'], calibration['intrinsics'], strict=True):
        if name in sizes:
            size = (sizes[name]['width'], sizes[name]['height'])
            matrix = (i['fx'], i['skew'], i['cx'], 0.0, i['fy'], i['cy'], 0.0, 0.0, 1.0)
            cameras.append(camera(names[name], mounts[name], matrix, size, RATE_HZ))
    divisor = 10 if _year(pictures[0]) > LAST_BELIEVABLE_YEAR else 1
    images = [
        DgpImage(
            names[d['id']['name']],
            _stamp_ns(d['id']['timestamp'], divisor),
            _inside(folder, d['datum']['image']['filename']),
            _pose(d['datum']['image']['pose']) @ np.linalg.inv(mounts[d['id']['name']]),
        )
        for d in pictures
    ]
    extra = sorted(c.name for c in cameras if c.name not in YAW_OF)
    order = [*YAW_OF, *extra]
    rig = Rig(
        name='surround_dgp',
        description='converted from a DGP scene; vehicle dimensions are assumed',
        cameras=tuple(sorted(cameras, key=lambda c: order.index(c.name))),
        vehicle=load_rig('sim').vehicle,
    )
    images.sort(key=lambda i: (i.stamp_ns, order.index(i.camera)))
    sets = [
        read_boxes(
            _inside(folder, name),
            _stamp_ns(d['id']['timestamp'], divisor),
            _pose(d['datum']['point_cloud']['pose']) @ np.linalg.inv(_lidar_mount(calibration)),
        )
        for d in scene['data']
        if 'point_cloud' in d['datum']
        and (name := d['datum']['point_cloud'].get('annotations', {}).get(BOXES_3D))
    ]
    return DgpScene(rig, tuple(images), divisor, tuple(sorted(sets, key=lambda b: b.stamp_ns)))


def convert(
    folder: Path, out: Path, progress: Callable[[float], None] = lambda _: None
) -> DgpScene:
    """Write ``out`` (.mcap) and, beside it, ``.rig.yaml``; returns what was read, with facts.

    ``progress`` hears the share that is done.
    """
    scene = read_scene(folder)
    with SensorBag(out) as bag:
        first = scene.images[0].stamp_ns
        bag.transforms(
            '/tf_static',
            first,
            {('base_link', c.frame_id): c.base_from_optical for c in scene.rig.cameras},
        )
        origin = np.linalg.inv(scene.images[0].base_in_world)
        motion = {row[0]: row[1:] for row in _motion(scene, origin)}
        boxes = {found.stamp_ns: found for found in rows(scene.boxes, origin)}
        stamps = sorted(motion.keys() | boxes.keys())
        for done, stamp_ns in enumerate(stamps):
            if stamp_ns in motion:
                _instant(bag, scene, stamp_ns, motion[stamp_ns])
            if stamp_ns in boxes:
                topic = f'{NAMESPACE}/ground_truth/objects'
                bag.objects(topic, stamp_ns, 'odom', 'ground_truth', boxes[stamp_ns].rows)
            progress((done + 1) / len(stamps))
        facts = _facts(scene, bag.counts)
        bag.note(facts.about())
    write_rig(scene.rig, out, 'Converted from a DGP scene.')
    return replace(scene, facts=facts)


def _instant(
    bag: SensorBag, scene: DgpScene, stamp_ns: int, motion: tuple[np.ndarray, ...]
) -> None:
    """Odometry, pictures and calibration of one instant."""
    odometry = f'{NAMESPACE}/{scene.rig.odometry.topic}'
    bag.odometry(odometry, stamp_ns, ('odom', 'base_link'), *motion)
    bag.transforms('/tf', stamp_ns, {('odom', 'base_link'): motion[0]})
    for image in scene.images:
        if image.stamp_ns == stamp_ns:
            camera = scene.rig.camera(image.camera)
            data = image.path.read_bytes()
            topic = f'{NAMESPACE}/{camera.topic}'
            bag.compressed_image(topic, stamp_ns, camera.frame_id, data)
            bag.camera_info(f'{NAMESPACE}/{camera.info_topic}', stamp_ns, camera)


def _motion(
    scene: DgpScene, origin: np.ndarray
) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Stamp, pose in odom (the first pose is its origin), twist in base_link, per instant."""
    poses = {image.stamp_ns: image.base_in_world for image in scene.images}
    stamps = sorted(poses)
    placed = np.stack([origin @ poses[stamp] for stamp in stamps])
    linear, angular = velocities(stamps, placed)
    return list(zip(stamps, placed, linear, angular, strict=True))


def _facts(scene: DgpScene, counts: Mapping[str, int]) -> Facts:
    stamps = sorted({image.stamp_ns for image in scene.images})
    clock: tuple[str, ...] = ()
    if scene.clock_divisor != 1:
        clock = (f'stamps were divided by {scene.clock_divisor}: the scene dates itself to 2464',)
    boxes = sum(len(found.boxes) for found in scene.boxes)
    return Facts(
        source=(
            f'DGP scene, {len(scene.images)} images of {len(scene.rig.cameras)} cameras at '
            f'{len(stamps)} instants'
        ),
        counts=dict(counts),
        span_s=(stamps[-1] - stamps[0]) / NS,
        real=('images, intrinsics and mounts of the cameras', f'poses, and {boxes} boxes'),
        computed=(
            'speeds and turn rates, by central differences',
            'speeds of the boxes, by differences between instants',
        ),
        assumed=(
            'vehicle dimensions are assumed: those of the simulated car',
            'kind of a box by its size: the scene does not say what its classes mean',
            *clock,
        ),
    )


def _pose(data: dict[str, dict[str, float]]) -> Float[np.ndarray, '4 4']:
    """4 x 4 matrix of a DGP pose (quaternion qw qx qy qz, metres)."""
    q, t = data['rotation'], data['translation']
    return conversion.pose_of([q['qw'], q['qx'], q['qy'], q['qz']], [t['x'], t['y'], t['z']])


def _lidar_mount(calibration: dict[str, Any]) -> Float[np.ndarray, '4 4']:
    """Pose of the laser scanner, in whose axes boxes are given, in base_link."""
    for name, extrinsic in zip(calibration['names'], calibration['extrinsics'], strict=True):
        if name == 'LIDAR':
            return _pose(extrinsic)
    return np.eye(4)


def _year(datum: dict[str, Any]) -> int:
    return int(datum['id']['timestamp'][:4])


def _stamp_ns(text: str, divisor: int) -> int:
    """Nanoseconds of an ISO 8601 time in UTC, exactly, divided by the clock's divisor."""
    at = datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=UTC)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    whole_us = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return whole_us * 1000 // divisor


def _inside(folder: Path, name: str) -> Path:
    """The file inside the scene's folder; ValueError for a name that leads out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f'{name!r} leads out of the scene')
    return path
