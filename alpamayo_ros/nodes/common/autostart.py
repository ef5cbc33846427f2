"""A lifecycle node that may configure and activate by itself, and then obeys nobody else."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.lifecycle.node import LifecycleState

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common.fault_log import FaultLog


class AutostartNode(LifecycleNode):
    """``settings.autostart``: without a lifecycle manager."""

    settings: SimpleNamespace
    faults: FaultLog
    _own = False  # whether this node itself asks for the transition at hand

    def by_itself(self, transition: Callable[[], TransitionCallbackReturn]) -> None:
        """Ask for a transition of its own."""
        self._own = True
        try:
            transition()
        finally:
            self._own = False

    def denied(self, name: str, state: LifecycleState) -> bool:
        """Log who asked for a transition; one that starts by itself obeys nobody else."""
        denied = self.settings.autostart and not self._own
        asked = 'the node itself' if self._own else 'its service'
        text = f'lifecycle: {self.get_name()}: {name} from {state.label}, asked by {asked}'
        if denied:
            self.faults.event(Fault(Code.PARAM_DENIED, f'{text}; autostart is on.'))
        else:
            self.get_logger().info(text)
        return bool(denied)
