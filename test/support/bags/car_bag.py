"""The recording of somebody's own car: four cameras, odometry, and as much else as is asked for.

Pictures are cut from the simulator's expert drives, so that what moves in them is a real flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from alpamayo_ros.bags.bag import BagMessage, BagReader, BagWriter

CAMERAS = {  # of the simulator: topic of the car
    'front': '/cam_front/image_raw/compressed',
    'front_left': '/cam_left/image_raw/compressed',
    'front_right': '/cam_right/image_raw/compressed',
    'rear': '/cam_back/image_raw/compressed',
}
Change = Callable[[BagMessage], BagMessage | None]


def write(source: Path, out: Path, change: Change = lambda message: message) -> Path:
    """Four cameras, their odometry, and what ``change`` lets through of the rest."""
    with BagWriter(out) as bag:
        found = [m for m in map(lambda m: change(renamed(m)), BagReader(source)) if m is not None]
        for message in sorted(found, key=lambda m: m.time_ns):
            bag.write(message.topic, message.message, message.time_ns)
    return out


def renamed(message: BagMessage) -> BagMessage:
    """Under the topic that the car has for it."""
    parts = message.topic.split('/')
    if '/camera/' not in message.topic or parts[3] not in CAMERAS:
        return replace(message, topic=message.topic.replace('/alpamayo/odometry', '/ins/odometry'))
    topic = CAMERAS[parts[3]]
    if message.topic.endswith('camera_info'):
        topic = topic.replace('image_raw/compressed', 'camera_info')
    return replace(message, topic=topic)


def bare(message: BagMessage) -> BagMessage | None:
    """Pictures of four cameras and odometry alone: no calibration, no transforms."""
    kept = (*CAMERAS.values(), '/ins/odometry')
    return message if message.topic in kept else None


def calibrated(message: BagMessage) -> BagMessage | None:
    """The same with CameraInfo and /tf_static."""
    known = message.topic.endswith('camera_info') and message.topic.startswith('/cam_')
    return message if known or message.topic == '/tf_static' else bare(message)
