"""Speed and acceleration that a person allows at most: parameters, lowered further by topics."""

from __future__ import annotations

import math
from typing import Any

from std_msgs.msg import Float32

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.safety.config import PlanConfig

# Below, rounding would decide whether a plan at rest passes.
LEAST_MPS2 = 0.1


class Caps:
    """Subscribes ``speed_cap`` and ``acceleration_cap``; ``config`` is what is in force.

    A topic may raise what it lowered itself, up to the parameter and no further; a message that is
    no such number is CAP_FORMAT, and the cap before it stays.
    """

    def __init__(self, node: Any, config: PlanConfig) -> None:
        """``config``: profile and limits, which no cap raises."""
        s = node.settings
        self._node = node
        lowest = (s.speed_cap_mps or math.inf, s.acceleration_cap_mps2 or math.inf)
        self.config = self._base = config.lowered(*lowest)
        self._speed_mps = self._acceleration_mps2 = math.inf
        for topic, heard in (('speed_cap', self._speed), ('acceleration_cap', self._acceleration)):
            qos.watched_subscription(node, Float32, topic, heard, qos.latched())

    def _speed(self, message: Float32) -> None:
        if self._sound('speed_cap', message.data, 0.0):
            self._speed_mps = float(message.data)
            self._lower()

    def _acceleration(self, message: Float32) -> None:
        if self._sound('acceleration_cap', message.data, LEAST_MPS2):
            self._acceleration_mps2 = float(message.data)
            self._lower()

    def _sound(self, topic: str, value: float, low: float) -> bool:
        if not value >= low:  # nor NaN
            text = f'expected {low:g} or more on {topic}, got {value:g}.'
            self._node.faults.event(Fault(Code.CAP_FORMAT, text))
            return False
        return True

    def _lower(self) -> None:
        self.config = self._base.lowered(self._speed_mps, self._acceleration_mps2)
        speed_mps = min(self.config.speed_cap_mps, self.config.profile.max_speed_mps)
        up = self.config.limits.acceleration_warn_mps2
        self._node.get_logger().info(f'capped: at most {speed_mps:g} m/s, {up:g} m/s2')
