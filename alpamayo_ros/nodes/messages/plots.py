"""Numbers for the plots of Foxglove and rqt: one Float64 topic each, under ``plot/``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from std_msgs.msg import Float64

from alpamayo_ros.nodes.common import qos

OF_PLANS = ('planned_speed_mps', 'acceleration_mps2', 'steering_rad', 'agreement')
OF_CYCLES = ('plan_age_ms', 'cycle_ms')


class Plots:
    """Publishers by name; one that nobody reads costs nothing."""

    def __init__(self, node: Any, names: Sequence[str]) -> None:
        """``names``: some of those that ``plans.mcap`` has too."""
        kind = qos.output(False)
        self._outputs = {n: node.create_publisher(Float64, f'plot/{n}', kind) for n in names}

    def show(self, **values: float) -> None:
        """Publish what is finite and read."""
        for name, value in values.items():
            output = self._outputs[name]
            if math.isfinite(value) and output.get_subscription_count():
                output.publish(Float64(data=float(value)))
