"""From a scene in nuScenes format to a bag and a rig file; the result is called *converted*.

The ego frame of the format is base_link: rear axle, x forward, y left, z up.  Poses, boxes and
calibration are in metres and quaternions (w, x, y, z).
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.sensor_writer import BoxRow, SensorBag
from alpamayo_ros.datasets.conversion import NAMESPACE, Facts, pose_of, vehicle, velocities
from alpamayo_ros.datasets.copied_pictures import read_picture, resized, size_of
from alpamayo_ros.datasets.named_cameras import camera, names_of
from alpamayo_ros.datasets.nuscenes_tables import (
    Picture,
    Row,
    SceneTables,
    check_stamps,
    check_unit,
    read_tables,
)
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.sensing.rig import OdometrySource, Rig, RigCamera
from alpamayo_ros.units import NS, counted

US = 1000  # nanoseconds
WINDOW_NS = 200_000_000  # poses come milliseconds apart, one for each sensor
# Renault Zoe, the dataset's car: wheelbase 2.588 m, 4.084 m x 1.730 m, front overhang 0.84 m
ZOE = vehicle(2.588, 4.084, 1.730, 3.43)
KINDS = (  # first match of the category's beginning
    ('vehicle.car', 'car'),
    ('vehicle.truck', 'truck'),
    ('vehicle.trailer', 'truck'),
    ('vehicle.construction', 'truck'),
    ('vehicle.bus', 'bus'),
    ('vehicle.emergency', 'car'),
    ('vehicle.motorcycle', 'motorcycle'),
    ('vehicle.bicycle', 'bicycle'),
    ('human', 'pedestrian'),
    ('movable_object.trafficcone', 'cone'),
)
Boxes = dict[int, list[BoxRow]]


def convert(
    folder: Path,
    out: Path,
    progress: Callable[[float], None] = lambda _: None,
    scene: str = '',
    version: str = '',
) -> Facts:
    """Write ``out`` (.mcap) and its rig beside it.

    Every camera, with sweeps where they are there; odometry from the poses of all sensors; boxes
    as ground_truth/objects.
    """
    tables = read_tables(folder, scene, version)
    present = [p for p in tables.pictures if _inside(folder, p.file).is_file()]
    if not present:
        text = f'{len(tables.pictures)} pictures are listed, none is in {folder}'
        raise FileNotFoundError(f'{text}; samples/ and sweeps/ belong beside {tables.version}')
    check_stamps(present)
    check_unit(tables.poses)
    cameras = _cameras(folder, present)
    stamps = sorted({int(row['timestamp']) * US for row in tables.poses})
    world = {int(row['timestamp']) * US: _pose(row) for row in tables.poses}
    origin = np.linalg.inv(world[stamps[0]])
    base = np.stack([origin @ world[stamp] for stamp in stamps])
    rig = Rig(
        name='nuscenes',
        description='converted from nuScenes format; vehicle dimensions are assumed',
        cameras=tuple(cameras[name] for name in sorted(cameras)),
        odometry=OdometrySource(rate_hz=_rate_hz(stamps)),
        vehicle=ZOE,
    )
    boxes = _boxes(tables, origin)
    with SensorBag(out) as bag:
        _write(bag, folder, rig, present, cameras, (stamps, base), boxes, progress)
        facts = _facts(tables, present, rig, boxes, bag.counts, stamps)
        bag.note(facts.about())
    write_rig(rig, out, f'Converted from {tables.version}, {tables.name}.')
    return facts


def _write(
    bag: SensorBag,
    folder: Path,
    rig: Rig,
    pictures: list[Picture],
    cameras: Mapping[str, RigCamera],
    motion: tuple[list[int], Float[np.ndarray, 'N 4 4']],
    boxes: Boxes,
    progress: Callable[[float], None],
) -> None:
    """Everything in the order of time."""
    stamps, base = motion
    linear, angular = velocities(stamps, base, WINDOW_NS)
    index = {stamp: i for i, stamp in enumerate(stamps)}
    taken = defaultdict(list)
    for picture in pictures:
        taken[picture.stamp_us * US].append(picture)
    frames = ('odom', 'base_link')
    mounts = {('base_link', c.frame_id): c.base_from_optical for c in rig.cameras}
    times = sorted(index.keys() | taken.keys() | boxes.keys())
    bag.transforms('/tf_static', times[0], mounts)
    for done, stamp in enumerate(times):
        if (i := index.get(stamp)) is not None:
            bag.odometry(f'{NAMESPACE}/odometry', stamp, frames, base[i], linear[i], angular[i])
            bag.transforms('/tf', stamp, {frames: base[i]})
        if stamp in boxes:
            topic = f'{NAMESPACE}/ground_truth/objects'
            bag.objects(topic, stamp, 'odom', 'ground_truth', boxes[stamp])
        for picture in taken[stamp]:
            seen = cameras[picture.channel]
            data = read_picture(_inside(folder, picture.file), (seen.width, seen.height))
            bag.camera_info(f'{NAMESPACE}/{seen.info_topic}', stamp, seen)
            bag.compressed_image(f'{NAMESPACE}/{seen.topic}', stamp, seen.frame_id, data)
        progress((done + 1) / len(times))


def _cameras(folder: Path, pictures: list[Picture]) -> dict[str, RigCamera]:
    """Rig camera of each channel, by its first picture."""
    out: dict[str, RigCamera] = {}
    times: dict[str, list[int]] = defaultdict(list)
    for picture in pictures:
        times[picture.channel].append(picture.stamp_us * US)
    mounts = {p.channel: _pose(p.calibration) for p in reversed(pictures)}
    names = names_of({channel: mounts[channel] for channel in sorted(mounts)})
    for picture in pictures:
        if picture.channel in out:
            continue
        channel, size = picture.channel, size_of(_inside(folder, picture.file))
        matrix = picture.calibration.get('camera_intrinsic')
        if not matrix:
            raise ValueError(f'{picture.file}: no intrinsics of {channel}')
        values = tuple(float(v) for row in matrix for v in row)
        values = resized(values, picture.size or size, size, channel)
        rate_hz = _rate_hz(times[channel])
        out[channel] = camera(names[channel], mounts[channel], values, size, rate_hz)
    return out


def _boxes(tables: SceneTables, origin: Float[np.ndarray, '4 4']) -> Boxes:
    """Boxes by time, in odom; velocities by differences between annotations."""
    places: dict[str, dict[int, Float[np.ndarray, '4 4']]] = defaultdict(dict)
    for time_us, row, _ in tables.annotations:
        places[str(row['instance_token'])][time_us * US] = origin @ _pose(row)
    out: Boxes = {time_us * US: [] for time_us, _, _ in tables.annotations}
    for time_us, row, category in tables.annotations:
        stamp, known = time_us * US, places[str(row['instance_token'])]
        near = sorted(known)
        at = near.index(stamp)
        a, b = near[max(0, at - 1)], near[min(len(near) - 1, at + 1)]
        velocity = (known[b][:3, 3] - known[a][:3, 3]) / ((b - a) / NS) if b > a else np.zeros(3)
        width, length, height = (float(v) for v in row['size'])
        number = zlib.crc32(str(row['instance_token']).encode())
        size = (length, width, height)
        out[stamp].append(BoxRow(number, kind_of(category), known[stamp], velocity, size))
    return out


def kind_of(category: str) -> str:
    """The package's kind of a category, ``unknown`` for what it has no word for."""
    return next((kind for start, kind in KINDS if category.startswith(start)), 'unknown')


def _facts(
    tables: SceneTables,
    pictures: list[Picture],
    rig: Rig,
    boxes: Boxes,
    counts: Mapping[str, int],
    stamps: list[int],
) -> Facts:
    count, missing = sum(map(len, boxes.values())), len(tables.pictures) - len(pictures)
    lost = (f'listed but not there: {counted(missing, "picture")}',) if missing else ()
    listed = {p.size for p in pictures if p.size} - {(c.width, c.height) for c in rig.cameras}
    scaled = tuple(
        f'intrinsics, scaled from pictures of {w} x {h} as the tables say'
        for w, h in sorted(listed)
    )
    place = f' in {tables.location}' if tables.location else ''
    return Facts(
        source=f'{tables.version}, {tables.name}{place}',
        counts=dict(counts),
        span_s=(stamps[-1] - stamps[0]) / NS,
        real=(
            f'{len(pictures)} pictures of {len(rig.cameras)} cameras, intrinsics and mounts',
            f'{len(stamps)} poses, {count} boxes at {len(boxes)} instants',
            *lost,
        ),
        computed=(
            'speeds and turn rates of the car, by central differences over 0.2 s',
            'speeds of the boxes, by differences between annotations',
            *scaled,
        ),
        assumed=('vehicle: Renault Zoe, wheelbase 2.588 m, 4.084 m x 1.730 m',),
    )


def _rate_hz(stamps: list[int]) -> float:
    """Messages a second, at least 0.1."""
    span_s = (max(stamps) - min(stamps)) / NS
    return max(0.1, min(120.0, round((len(stamps) - 1) / span_s, 1))) if span_s else 1.0


def _pose(row: Row) -> Float[np.ndarray, '4 4']:
    return pose_of(row['rotation'], row['translation'])


def _inside(folder: Path, name: str) -> Path:
    """The file inside the folder; ValueError for a name that leads out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f'{name!r} leads out of the folder')
    return path
