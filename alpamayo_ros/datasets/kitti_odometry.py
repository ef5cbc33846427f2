"""From a sequence of KITTI odometry (left grey camera, poses) to a bag and a rig file.

The benchmark: A. Geiger, P. Lenz, R. Urtasun, "Are we ready for Autonomous Driving?", CVPR 2012.
Poses are those of the left camera in its first frame (x right, y down, z forward).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.datasets.conversion import NAMESPACE, Facts, vehicle, velocities
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.sensing.rig import Mount, OdometrySource, Rig, RigCamera
from alpamayo_ros.units import NS

EPOCH_NS = 1000 * NS  # the sequence has no clock; a stamp of zero would mean 'no stamp'
STEP_NS = NS // 10
IMAGES = ('image_l', 'image_0')
# Sensor set-up of the dataset: cameras level, 1.65 m above the ground; the left one 1.08 m ahead
# of the GPS/IMU unit (0.81 m to the laser scanner, 0.27 m on to the camera), which sits 0.05 m
# behind the rear axle (Geiger et al., "Vision meets Robotics", IJRR 2013, figure 3).
MOUNT = Mount(x_m=1.03, y_m=0.0, z_m=1.65)
PASSAT = vehicle(2.71, 4.77, 1.82, 3.66)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Pictures in order, the pose of base_link at each in odom, and the rig.

    ``times_s`` of times.txt from 0 on; () where there is none: every 0.1 s, as the dataset says.
    """

    rig: Rig
    images: tuple[Path, ...]
    base_in_odom: Float[np.ndarray, 'N 4 4']
    times_s: tuple[float, ...] = ()

    @property
    def stamps_ns(self) -> list[int]:
        """When each picture was taken, from 1000 s on."""
        if self.times_s:
            return [EPOCH_NS + round((t - self.times_s[0]) * NS) for t in self.times_s]
        return [EPOCH_NS + i * STEP_NS for i in range(len(self.images))]


def read_sequence(folder: Path) -> Sequence:
    """Read calib.txt, poses.txt and the pictures of a sequence.

    FileNotFoundError or ValueError say what is missing or does not fit.
    """
    for name in ('calib.txt', 'poses.txt'):
        if not (folder / name).is_file():
            raise FileNotFoundError(f'no {name} in {folder}; is it a sequence of KITTI odometry?')
    images = next((p for n in IMAGES if (p := sorted((folder / n).glob('*.png')))), [])
    if not images:
        raise FileNotFoundError(f'no {" or ".join(f"{n}/*.png" for n in IMAGES)} in {folder}')
    poses = _rows(folder / 'poses.txt').reshape(-1, 3, 4)
    if len(poses) < len(images):
        raise ValueError(f'{len(images)} pictures, but poses.txt has {len(poses)} lines')
    picture = cv2.imread(str(images[0]), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f'{images[0]} is no picture')
    projection = _rows(folder / 'calib.txt')[0].reshape(3, 4)
    times = _times(folder / 'times.txt', len(images))
    rate_hz = round(1 / float(np.median(np.diff(times))), 2) if len(times) > 1 else NS / STEP_NS
    camera = _camera(projection[:, :3], picture.shape[1], picture.shape[0], rate_hz)
    rig = Rig(
        name='kitti_odometry',
        description='converted from KITTI odometry: one camera; mount and vehicle are assumed',
        cameras=(camera,),
        odometry=OdometrySource(rate_hz=rate_hz),
        vehicle=PASSAT,
    )
    in_first = np.tile(np.eye(4), (len(images), 1, 1))
    in_first[:, :3] = poses[: len(images)]
    mount = camera.base_from_optical
    return Sequence(rig, tuple(images), mount @ in_first @ np.linalg.inv(mount), times)


def _times(path: Path, count: int) -> tuple[float, ...]:
    """Seconds of ``count`` pictures; () without a file, ValueError for one that does not fit."""
    if not path.is_file():
        return ()
    try:
        found = [float(word) for word in path.read_text().split()]
    except ValueError as error:
        raise ValueError(f'{path.name}: expected a number a line: {error}') from None
    steps = np.diff(found[:count])
    if len(found) < count or not (np.isfinite(found).all() and (steps > 0).all()):
        raise ValueError(f'{path.name}: expected {count} finite times that ascend')
    return tuple(found[:count])


def convert(folder: Path, out: Path, progress: Callable[[float], None] = lambda _: None) -> Facts:
    """Write ``out`` (.mcap) and its rig beside it; ``progress`` hears the share that is done."""
    found = read_sequence(folder)
    camera, stamps = found.rig.cameras[0], found.stamps_ns
    linear, angular = velocities(stamps, found.base_in_odom)
    with SensorBag(out) as bag:
        bag.transforms(
            '/tf_static', stamps[0], {('base_link', camera.frame_id): camera.base_from_optical}
        )
        for i, (stamp, pose) in enumerate(zip(stamps, found.base_in_odom, strict=True)):
            topic = f'{NAMESPACE}/{found.rig.odometry.topic}'
            bag.odometry(topic, stamp, ('odom', 'base_link'), pose, linear[i], angular[i])
            bag.transforms('/tf', stamp, {('odom', 'base_link'): pose})
            data = found.images[i].read_bytes()
            bag.camera_info(f'{NAMESPACE}/{camera.info_topic}', stamp, camera)
            bag.compressed_image(f'{NAMESPACE}/{camera.topic}', stamp, camera.frame_id, data)
            progress((i + 1) / len(stamps))
        facts = _facts(found, bag.counts)
        bag.note(facts.about())
    write_rig(found.rig, out, 'Converted from a sequence of KITTI odometry.')
    return facts


def _facts(found: Sequence, counts: dict[str, int]) -> Facts:
    camera, timed = found.rig.cameras[0], bool(found.times_s)
    return Facts(
        source=f'KITTI odometry, {len(found.images)} pictures of one grey camera',
        counts=dict(counts),
        span_s=(found.stamps_ns[-1] - found.stamps_ns[0]) / NS,
        real=('pictures', 'intrinsics', 'poses of the camera', *(('times',) if timed else ())),
        computed=(
            'poses of base_link, through the mount',
            'speeds and turn rates, by central differences over 0.2 s',
        ),
        assumed=(
            'stamps: from 1000 s on'
            + ('' if timed else ', every 0.1 s as the dataset is defined'),
            f'mount: {camera.mount.x_m} m ahead of the rear axle, {camera.mount.z_m} m up, level',
            'vehicle: VW Passat, wheelbase 2.71 m, 4.77 m x 1.82 m',
        ),
    )


def _rows(path: Path) -> Float[np.ndarray, 'N 12']:
    """Lines of twelve numbers, with or without a name before a colon."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.partition(':')[2].split() if ':' in line else line.split()
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != 12 or not np.isfinite(values).all():
            raise ValueError(f'{path.name} line {number}: twelve finite numbers are expected')
        rows.append(values)
    if not rows:
        raise ValueError(f'{path} is empty')
    return np.array(rows)


def _camera(
    matrix: Float[np.ndarray, '3 3'], width: int, height: int, rate_hz: float
) -> RigCamera:
    return RigCamera(
        name='front',
        topic='camera/front/image_raw/compressed',
        info_topic='camera/front/camera_info',
        frame_id='camera_front_optical',
        width=width,
        height=height,
        camera_matrix=tuple(float(v) for v in matrix.reshape(-1)),
        mount=MOUNT,
        rate_hz=rate_hz,
    )
