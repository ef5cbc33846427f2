"""Forward acceleration of sensor_msgs/Imu, where the message says that it holds one."""

from __future__ import annotations

import math
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.units import NS


class ForwardAcceleration:
    """The newest forward acceleration of base_link; the egomotion node and the replay share it.

    ``linear_acceleration_covariance[0]`` below 0 means that there is no estimate.
    """

    def __init__(self, base_frame: str) -> None:
        """``base_frame``: the one frame whose x axis is forward."""
        self._base_frame = base_frame
        self._newest: tuple[int, float] | None = None
        self._refused: set[str] = set()

    def take(self, message: Any) -> Fault | None:
        """Take an Imu message; ODOM_FRAME the first time that another frame comes."""
        frame = str(message.header.frame_id)
        if frame != self._base_frame:
            known, self._refused = frame in self._refused, self._refused | {frame}
            text = f'Imu: expected frame_id {self._base_frame!r}, got {frame[:64]!r}; not used.'
            return None if known else Fault(Code.ODOM_FRAME, text, {'frame_id': frame[:64]})
        value = float(message.linear_acceleration.x)
        if math.isfinite(value) and message.linear_acceleration_covariance[0] >= 0:
            stamp = message.header.stamp
            self._newest = int(stamp.sec) * NS + int(stamp.nanosec), value
        return None

    def at(self, stamp_ns: int, age_ns: int) -> float | None:
        """Acceleration [m/s2] where one lies within ``age_ns`` of ``stamp_ns``."""
        if self._newest is None or abs(stamp_ns - self._newest[0]) > age_ns:
            return None
        return self._newest[1]
