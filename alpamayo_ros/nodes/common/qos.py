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

from alpamayo_ros.faults import Code, Fault

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
    """Log one incompatible match and keep it; ``incompatible`` gives the fault."""
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    node.get_logger().error(
        f'QOS_INCOMPATIBLE: {node.resolve_topic_name(topic)}: the other end does not offer our '
        f'{policy}; compare with "ros2 topic info -v"'
    )
    node.incompatible = {**getattr(node, 'incompatible', {}), topic: policy}


def incompatible(node: Any) -> Fault | None:
    """QOS_INCOMPATIBLE with the topics and policies that were reported, or None."""
    found = getattr(node, 'incompatible', {})
    words = ', '.join(f'{topic} ({policy})' for topic, policy in found.items())
    return Fault(Code.QOS_INCOMPATIBLE, f'{words}.') if found else None
