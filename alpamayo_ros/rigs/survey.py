"""What a recording says of its sensors: topics, sizes, frames, CameraInfo, transforms, stamps."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.bag import BagMessage, BagReader
from alpamayo_ros.bags.outline import Outline, outline
from alpamayo_ros.sensing.image_format import gate_format
from alpamayo_ros.sensing.image_gate import gate_compressed
from alpamayo_ros.units import NS

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFO, ODOMETRY = 'sensor_msgs/msg/CameraInfo', 'nav_msgs/msg/Odometry'
TRANSFORMS = 'tf2_msgs/msg/TFMessage'
PICTURES = (IMAGE, COMPRESSED)
STATIC = 'tf_static'
LARGEST = (8192, 8192)  # of a rig camera
NO_PICTURES = ('16UC1', '32FC1', 'mono16')  # depth images
Stamps = Float[np.ndarray, 'N']


@dataclass(slots=True)
class SeenCamera:
    """One topic of pictures.

    ``stamps_s``: header stamps, ``times_s``: when each was recorded, both in the recorded order.
    ``wrong``: why its first picture cannot be read, '' where it can.
    """

    topic: str
    type: str
    frame_id: str = ''
    width: int = 0
    height: int = 0
    encoding: str = ''
    rate_hz: float = 0.0
    wrong: str = ''
    stamps_s: list[float] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)

    @property
    def latency_s(self) -> tuple[float, float]:
        """From the stamp to the recording: median, and the range of the middle nine tenths."""
        late = np.array(self.times_s) - np.array(self.stamps_s)
        low, middle, high = np.percentile(late, (5, 50, 95)) if len(late) else (math.nan,) * 3
        return float(middle), float(high - low)

    @property
    def stamped(self) -> bool:
        """Whether its stamps are times and not all zero or all the same."""
        return len(set(self.stamps_s)) > 1 or (len(self.stamps_s) == 1 and self.stamps_s[0] > 0)


@dataclass(slots=True)
class Survey:
    """The sensors of one recording.

    ``infos`` and ``odometry``: the first message of each topic.  ``transforms``: (parent, child)
    to the pose of the child in the parent, as ``/tf_static`` has them.  ``skipped``: topics of
    pictures that no camera of a rig can be, and why.  ``fault``: why reading ended early.
    """

    outline: Outline
    cameras: dict[str, SeenCamera] = field(default_factory=dict)
    infos: dict[str, Any] = field(default_factory=dict)
    odometry: dict[str, Any] = field(default_factory=dict)
    transforms: dict[tuple[str, str], Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    fault: str = ''

    @property
    def begin_s(self) -> float:
        """When the first picture was recorded; of a bag without any, the first message."""
        kinds, times = self.outline.types, self.outline.times_s
        first = [t[0] for topic, t in times.items() if kinds.get(topic) in PICTURES and len(t)]
        return float(min(first, default=self.outline.bounds_s[0]))


def survey(
    bag: Path, seconds: float = 30.0, progress: Callable[[float], None] = lambda _: None
) -> Survey:
    """Look through a recording: its pictures for ``seconds``, everything else from end to end."""
    found = Survey(outline(bag))
    types = found.outline.types
    few = {t for t, kind in types.items() if kind in (INFO, ODOMETRY)}
    few |= {t for t, kind in types.items() if kind == TRANSFORMS and t.endswith(STATIC)}
    wanted = {t for t, kind in types.items() if kind in PICTURES}
    begin_s = found.begin_s
    for topics, until_s in ((few, math.inf), (wanted, begin_s + seconds)):
        reader = BagReader(bag, topics)
        for number, message in enumerate(reader if topics else ()):
            if message.time_ns / NS > until_s:
                break
            _take(message, found)
            if number % 50 == 0 and math.isfinite(until_s):
                progress(min(1.0, max(0.0, message.time_ns / NS - begin_s) / seconds))
        found.fault = found.fault or ('' if reader.fault is None else str(reader.fault))
    _finish(found)
    return found


def _take(message: BagMessage, found: Survey) -> None:
    if message.type == INFO:
        found.infos.setdefault(message.topic, message.message)
    elif message.type == ODOMETRY:
        found.odometry.setdefault(message.topic, message.message)
    elif message.type == TRANSFORMS:
        for one in message.message.transforms:
            pair = (_frame(one.header.frame_id), _frame(one.child_frame_id))
            found.transforms.setdefault(pair, one.transform)
    else:
        _picture(message, found)


def _picture(message: BagMessage, found: Survey) -> None:
    topic, picture = message.topic, message.message
    camera = found.cameras.get(topic)
    if camera is None:
        camera = SeenCamera(topic, message.type, str(picture.header.frame_id))
        found.cameras[topic] = camera
        _measure(camera, picture)
    stamp = picture.header.stamp
    camera.stamps_s.append(stamp.sec + stamp.nanosec / NS)
    camera.times_s.append(message.time_ns / NS)


def _measure(camera: SeenCamera, picture: Any) -> None:
    """Size and encoding of the first picture, from its header; nothing is decoded."""
    if camera.type == IMAGE:
        camera.width, camera.height = int(picture.width), int(picture.height)
        camera.encoding = str(picture.encoding)
        return
    camera.encoding = str(picture.format)
    fault = gate_format(picture.format) or gate_compressed(picture.data, LARGEST)
    if fault is not None and 'width' in fault.values:
        camera.width, camera.height = (int(fault.values[k]) for k in ('width', 'height'))
        fault = gate_compressed(picture.data, (camera.width, camera.height))
    camera.wrong = '' if fault is None else str(fault)


def _finish(found: Survey) -> None:
    """Rates of the whole recording; what is no picture, or a second copy of one, put aside."""
    rates = defaultdict(float, {t: found.outline.rate_hz(t) for t in found.cameras})
    for topic, camera in sorted(found.cameras.items()):
        camera.rate_hz = rates[topic]
        if found.outline.counts[topic] < 2 or not camera.rate_hz:
            found.skipped[topic] = 'a single picture has no rate'
        elif camera.encoding in NO_PICTURES or topic.endswith('/compressedDepth'):
            found.skipped[topic] = f'{camera.encoding or "compressedDepth"} is depth, no picture'
        elif not (0 < camera.width <= LARGEST[0] and 0 < camera.height <= LARGEST[1]):
            found.skipped[topic] = camera.wrong or f'{camera.width} x {camera.height} pixels'
        elif camera.type == IMAGE and f'{topic}/compressed' in found.cameras:
            found.skipped[topic] = f'{topic}/compressed has the same pictures'
    for topic in found.skipped:
        found.cameras.pop(topic, None)


def _frame(name: str) -> str:
    """A frame of tf2, which has no leading slash; ROS 1 had one."""
    return str(name).removeprefix('/')
