"""The pictures and the motion of a recording, as the checks of a rig want them: flow and speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.faults import Fault
from alpamayo_ros.rigs.flow import Tracks, gray, tracks
from alpamayo_ros.rigs.survey import IMAGE
from alpamayo_ros.sensing.image_format import decode_message
from alpamayo_ros.sensing.image_gate import decode_raw
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.units import NS

PAIRS = 120  # of a camera, spread over the seconds that are looked at
Series = Float[np.ndarray, 'N']


@dataclass(frozen=True, slots=True)
class Motion:
    """Odometry: stamps [s], speed along x [m/s] and yaw rate [rad/s]; recorded when [s]."""

    stamps_s: Series
    speed_mps: Series
    yaw_rate_rps: Series
    times_s: Series

    def turn(self, from_s: float | Series, to_s: float | Series) -> Series:
        """Yaw [rad] between two stamps, the integral of the rate; NaN outside of the recording.

        What two pictures can show is this, and not the rate at any one moment between them.
        """
        mean = (self.yaw_rate_rps[1:] + self.yaw_rate_rps[:-1]) / 2
        yaw = np.concatenate([[0.0], np.cumsum(mean * np.diff(self.stamps_s))])
        return self.at(yaw, to_s) - self.at(yaw, from_s)

    def at(self, values: Series, when_s: float | np.ndarray) -> np.ndarray:
        """Interpolated; NaN outside of the recording."""
        return np.asarray(np.interp(when_s, self.stamps_s, values, np.nan, np.nan))


def read_motion(bag: Path, topic: str, until_s: float) -> Motion:
    """The odometry up to a recorded time, in the order of its stamps."""
    rows = []
    for message in BagReader(bag, {topic}):
        if message.time_ns / NS > until_s:
            break
        twist, stamp = message.message.twist.twist, message.message.header.stamp
        stamp_s = stamp.sec + stamp.nanosec / NS
        rows.append((stamp_s, twist.linear.x, twist.angular.z, message.time_ns / NS))
    table = np.array(rows, float).reshape(-1, 4)
    table = table[np.isfinite(table).all(axis=1)]
    table = table[np.argsort(table[:, 0], kind='stable')]
    return Motion(*(np.ascontiguousarray(column) for column in table.T))


@dataclass(slots=True)
class _Last:
    number: int = -1
    grey: Any = None
    stamp_s: float = 0.0


@dataclass(slots=True)
class Flows:
    """``pairs`` by camera; ``unread``: why a camera's picture could not be decoded."""

    pairs: dict[str, list[Tracks]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def read_flows(
    bag: Path,
    cameras: Mapping[str, RigCamera],
    counts: Mapping[str, int],
    span_s: tuple[float, float],
    progress: Callable[[float], None] = lambda _: None,
) -> Flows:
    """Flow between neighbouring pictures of each topic; ``cameras`` and ``counts`` by topic.

    ``counts``: pictures of a topic within ``span_s`` [s, recorded], of which at most ``PAIRS``
    pairs are decoded.
    """
    out = Flows({camera.name: [] for camera in cameras.values()})
    last = {topic: _Last() for topic in cameras}
    numbers = dict.fromkeys(cameras, -1)
    steps = {topic: max(1, counts.get(topic, 0) // PAIRS) for topic in cameras}
    for message in BagReader(bag, set(cameras)):
        now_s = message.time_ns / NS
        if now_s > span_s[1]:
            break
        topic = message.topic
        numbers[topic] += 1
        step, number = steps[topic], numbers[topic]
        if step > 2 and number % step > 1:
            continue
        _pair(message.message, message.type, cameras[topic], number, last[topic], out)
        progress((now_s - span_s[0]) / max(span_s[1] - span_s[0], 1e-3))
    return out


def _pair(
    picture: Any, kind: str, camera: RigCamera, number: int, last: _Last, out: Flows
) -> None:
    """Decode; follow the corners of the picture just before, where that one was kept."""
    size = (camera.width, camera.height)
    if kind == IMAGE:
        image = decode_raw(
            picture.encoding, picture.width, picture.height, picture.step, picture.data, size
        )
    else:
        image = decode_message(picture, size)
    if isinstance(image, Fault):
        out.unread.setdefault(camera.name, str(image))
        return
    stamp = picture.header.stamp
    grey, stamp_s = gray(image), stamp.sec + stamp.nanosec / NS
    if last.number == number - 1 and stamp_s > last.stamp_s:
        times = (last.stamp_s, stamp_s)
        out.pairs[camera.name].append(tracks(camera, last.grey, grey, times))
    last.number, last.grey, last.stamp_s = number, grey, stamp_s
