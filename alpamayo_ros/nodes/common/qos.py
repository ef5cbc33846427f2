"""Quality of service, in one place, and the report when two ends do not fit.

No deadline is ever requested: a driver that offers none would then deliver nothing at all
(docs/design.md, "Quality of service").  In lockstep every queue is reliable, deep and latched, so
that a late match loses nothing.
"""

from __future__ import annotations

from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)

from alpamayo_ros.faults import Code

LOCKSTEP_DEPTH = 20
MANY = 500  # small messages of one step: 1 kHz of motion for half a second


def _profile(depth: int, reliable: bool, latched: bool) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def lockstep(depth: int = LOCKSTEP_DEPTH) -> QoSProfile:
    """Reliable, latched, 20 deep: nothing is lost, whatever the order of discovery."""
    return _profile(depth, reliable=True, latched=True)


def sensor(in_lockstep: bool, depth: int = 5, reliable: bool = False) -> QoSProfile:
    """Cameras and odometry: best effort on a vehicle, reliable from a bag."""
    return lockstep() if in_lockstep else _profile(depth, reliable=reliable, latched=False)


def output(in_lockstep: bool, depth: int = 1) -> QoSProfile:
    """What a node produces: reliable, the newest only."""
    return lockstep() if in_lockstep else _profile(depth, reliable=True, latched=False)


def latched(depth: int = 1) -> QoSProfile:
    """Instructions and calibration: a late joiner receives the last one."""
    return _profile(depth, reliable=True, latched=True)


def watched_subscription(
    node: Any, kind: type, topic: str, callback: Any, profile: QoSProfile
) -> Any:
    """A subscription that reports QOS_INCOMPATIBLE, naming topic and policy, when it is."""
    events = SubscriptionEventCallbacks(incompatible_qos=lambda event: report(node, topic, event))
    return node.create_subscription(kind, topic, callback, profile, event_callbacks=events)


def watched_publisher(node: Node, kind: type, topic: str, profile: QoSProfile) -> Any:
    """A publisher that reports QOS_INCOMPATIBLE, naming topic and policy."""
    events = PublisherEventCallbacks(incompatible_qos=lambda event: report(node, topic, event))
    return node.create_publisher(kind, topic, profile, event_callbacks=events)


def report(node: Any, topic: str, event: Any) -> None:
    """Log one incompatible match; ``guards.Guards`` tells the decision of it."""
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    node.get_logger().error(
        f'{Code.QOS_INCOMPATIBLE.name}: {node.resolve_topic_name(topic)}: the other end does '
        f'not offer our {policy}; compare with "ros2 topic info -v"'
    )
