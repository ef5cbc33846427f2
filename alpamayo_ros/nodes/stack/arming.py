"""Arms and disarms the driver as Autoware permits, by the services that a person uses."""

from __future__ import annotations

import time
from typing import Any

from rclpy.clock import Clock, ClockType
from std_srvs.srv import Trigger

from alpamayo_ros.bridges.autoware.permission import ARM, DISARM, Permission
from alpamayo_ros.faults import Code
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.guards import Guards

ACT_S = 0.1  # one planning period: silence is noticed, and a lost question repeated, within it
LOOK_S = 0.4  # between two looks at who writes the trajectory


class Arming:
    """Acts in the callback of each message that may change the permission, and on a timer.

    ``trajectory_topic``: a second writer of it is no permission; '' where nothing is written.
    """

    def __init__(self, node: Any, kinds: Any, trajectory_topic: str) -> None:
        self._node, s = node, node.settings
        self.permission = Permission(s.report_silence_s)
        self._clients = {v: node.create_client(Trigger, f'trajectory/{v}') for v in (ARM, DISARM)}
        self._asked: dict[str, tuple[Any, float]] = {}
        self._endpoints = Guards(node, (trajectory_topic,) * bool(trajectory_topic))
        subscribe, out = qos.watched_subscription, qos.output(False)
        mode = kinds.autoware_adapi_v1_msgs.OperationModeState
        report = kinds.autoware_vehicle_msgs.ControlModeReport
        subscribe(node, Health, 'health', self._on_health, out)
        subscribe(node, mode, s.operation_mode_topic, self._on_mode, qos.latched())
        subscribe(node, report, s.control_mode_topic, self._on_report, out)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(ACT_S, self._act, clock=wall)
        node.create_timer(LOOK_S, self._look, clock=wall)

    def _on_mode(self, message: Any) -> None:
        self.permission.on_operation_mode(message.mode, message.is_autoware_control_enabled)
        self._act()

    def _on_report(self, message: Any) -> None:
        self.permission.on_control_mode(message.mode, time.monotonic_ns())
        self._act()

    def _on_health(self, message: Health) -> None:
        self.permission.on_health(bool(message.armed))
        self._act()

    def _look(self) -> None:
        self._endpoints.look()
        twins = [f for f in self._endpoints.faults if f.code is Code.DUP_PUBLISHER]
        self.permission.blocked = str(twins[0]) if twins else ''
        self._node.faults.update({f.code.name: str(f) for f in self._endpoints.faults})

    def _act(self) -> None:
        wish = self.permission.wish(time.monotonic_ns())
        if wish:
            self._ask(wish)

    def _ask(self, verb: str) -> None:
        """Ask, and again every ``ACT_S`` until Health says that it is so."""
        client, now_s = self._clients[verb], time.monotonic()
        future, asked_s = self._asked.get(verb, (None, -ACT_S))
        if now_s - asked_s < ACT_S or not client.service_is_ready():
            return
        if future is not None:
            client.remove_pending_request(future)
        self._asked[verb] = (client.call_async(Trigger.Request()), now_s)
        why = self.permission.refusal(time.monotonic_ns()) or 'Autoware and the vehicle allow it'
        self._node.get_logger().info(f'{verb}: {why}', throttle_duration_sec=1.0)
