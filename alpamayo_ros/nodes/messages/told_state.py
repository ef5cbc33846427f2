"""nav_msgs/Odometry as a state that injectors change, and back with only that changed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.nodes.common.convert import heading, ns, pose, stamp
from alpamayo_ros.types import EgoState


@dataclass(frozen=True, slots=True)
class ToldState(EgoState):
    """What a message tells; frames, covariances and the rest stay in ``message``."""

    message: Any = None


def told(message: Any) -> ToldState:
    """The planar part of an odometry message; nothing of it is checked."""
    place, twist = message.pose.pose, message.twist.twist
    return ToldState(
        ns(message.header.stamp),
        place.position.x,
        place.position.y,
        heading(place),
        twist.linear.x,
        twist.angular.z,
        message=message,
    )


def written(state: ToldState, stamp_ns: int) -> Any:
    """The message of a state: a copy of what came, with what was changed and the stamp."""
    out, before = deepcopy(state.message), told(state.message)
    out.header.stamp = stamp(stamp_ns)
    place, twist = out.pose.pose, out.twist.twist
    place.position.x, place.position.y = state.x_m, state.y_m
    twist.linear.x, twist.angular.z = state.speed_mps, state.yaw_rate_rps
    if state.heading_rad != before.heading_rad:
        place.orientation = pose(0.0, 0.0, state.heading_rad).orientation
    return out
