"""The planner's look at the GPUs: what it finds travels with every reply, as faults upstream."""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from alpamayo_ros.faults import Fault
from alpamayo_ros.gpu import gpu_faults, open_gpus
from alpamayo_ros.limits import Limits
from alpamayo_ros.nodes.common.node import ConfigurationError

PERIOD_S = 1.0  # temperature moves slowly, and a reading takes some milliseconds


class GpuWatch:
    """``faults``: beyond the limits at the newest reading; where nothing can be read, no node."""

    def __init__(self, node: Node, limits: Limits) -> None:
        gpus = open_gpus()
        if isinstance(gpus, str):
            raise ConfigurationError(f'planner refuses to configure: watch_gpus: {gpus}')
        self._gpus, self._limits = gpus, limits
        self.faults: list[Fault] = []
        self._look()
        node.create_timer(PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _look(self) -> None:
        self.faults = gpu_faults(self._gpus.read(), self._limits)
