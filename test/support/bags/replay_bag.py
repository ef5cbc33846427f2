"""A small recording made by hand: six cameras and odometry along a circle, others beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from alpamayo_ros.bags.sensor_writer import BoxRow, SensorBag
from alpamayo_ros.sensing.rig import Rig, load_rig, rotation_xyz

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
NAMESPACE = '/alpamayo'
RIG = load_rig('sim')


@dataclass(frozen=True)
class Drive:
    """``hz``: of the cameras.

    ``absent``: cameras that say nothing.  ``box_ahead_m``: a car stands there on the circle, None:
    no objects are recorded.  ``raw``: pictures are not compressed.  ``prefix``: before every
    topic.  ``mounted``: the rig whose mounts /tf_static tells.  ``frame_id``: of the odometry.
    """

    seconds: float = 4.0
    hz: float = 10.0
    speed_mps: float = 5.0
    yaw_rate_rps: float = 0.1
    absent: tuple[str, ...] = ()
    odometry: bool = True
    odometry_hz: float = 50.0
    box_ahead_m: float | None = None
    raw: bool = False
    prefix: str = NAMESPACE
    delay_ns: int = 0
    mounted: Rig | None = None
    frame_id: str = 'odom'


def pose(drive: Drive, time_s: float) -> np.ndarray:
    """Where the car is: on a circle from the origin, heading east."""
    turn = drive.yaw_rate_rps * time_s
    radius = drive.speed_mps / drive.yaw_rate_rps if drive.yaw_rate_rps else math.inf
    out = np.eye(4)
    out[:3, :3] = rotation_xyz(0.0, 0.0, turn)
    if drive.yaw_rate_rps:
        out[:2, 3] = radius * math.sin(turn), radius * (1 - math.cos(turn))
    else:
        out[0, 3] = drive.speed_mps * time_s
    return out


def picture(step: int, width: int, height: int) -> np.ndarray:
    """A soft pattern that moves, BGR."""
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    wave = 0.5 + 0.4 * np.sin(6.0 * x + 0.3 * step) * np.cos(4.0 * y)
    return np.stack([255 * wave, 200 * y, 120 * x + 60], -1).astype(np.uint8)


def write(path: Path, drive: Drive | None = None) -> Path:
    """Record a drive; messages in the order of their time."""
    drive = drive or Drive()
    count, ticks = round(drive.seconds * drive.hz), round(drive.seconds * drive.odometry_hz)
    due = [(round(i * NS / drive.odometry_hz), 'odometry', i) for i in range(ticks + 1)]
    due += [(round(i * NS / drive.hz), 'images', i) for i in range(count + 1)]
    due += [(round(i * NS / 10), 'objects', i) for i in range(round(drive.seconds * 10) + 1)]
    with SensorBag(path) as bag:
        for camera in () if drive.mounted is None else drive.mounted.cameras:
            frames = ('base_link', camera.frame_id)
            bag.transforms('/tf_static', START_NS, {frames: camera.base_from_optical})
        for after_ns, what, step in sorted(due):
            if what == 'odometry' and drive.odometry:
                _odometry(bag, drive, after_ns)
            elif what == 'images':
                _images(bag, drive, after_ns, step)
            elif what == 'objects' and drive.box_ahead_m is not None:
                ahead = pose(drive, drive.box_ahead_m / drive.speed_mps)
                row = BoxRow(1, 'car', ahead, np.zeros(3), (4.5, 1.8, 1.5))
                topic = f'{drive.prefix}/ground_truth/objects'
                bag.objects(topic, START_NS + after_ns, 'odom', 'ground_truth', [row])
    return path


def _odometry(bag: SensorBag, drive: Drive, after_ns: int) -> None:
    twist = (np.array([drive.speed_mps, 0, 0]), np.array([0, 0, drive.yaw_rate_rps]))
    topic, at = f'{drive.prefix}/odometry', pose(drive, after_ns / NS)
    bag.odometry(topic, START_NS + after_ns, (drive.frame_id, 'base_link'), at, *twist)


def _images(bag: SensorBag, drive: Drive, after_ns: int, step: int) -> None:
    for i, camera in enumerate(RIG.cameras):
        if camera.name in drive.absent:
            continue
        image = picture(step + 7 * i, camera.width, camera.height)
        stamp_ns, raw = START_NS + after_ns, camera.topic.removesuffix('/compressed')
        if drive.raw:
            message = bag.new(
                'sensor_msgs/msg/Image', header=bag.header(stamp_ns, camera.frame_id),
                height=camera.height, width=camera.width, encoding='bgr8', is_bigendian=0,
                step=3 * camera.width, data=image.reshape(-1),
            )  # fmt: skip
            bag.write(f'{drive.prefix}/{raw}', message, stamp_ns)
            continue
        data = cv2.imencode('.jpg', image)[1].tobytes()
        topic = f'{drive.prefix}/{camera.topic}'
        bag.compressed_image(topic, stamp_ns, camera.frame_id, data)
