"""From a ``reference`` and where the car is to steering and acceleration, for node and world."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.msg import PlannedTrajectory
from alpamayo_ros.nodes.common.convert import heading, ns
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.simulation.tracker import EXPIRED_MPS2, Anchor, Reference, follow
from alpamayo_ros.units import NS


def tracked(
    reference: PlannedTrajectory | None, pose: EgoPose, now_ns: int, vehicle: SimVehicle
) -> tuple[float, float]:
    """Steering [rad] and acceleration [m/s2] of a car at ``pose`` in the odometry's frame.

    It brakes without a reference, for one without points, and for one past its ``valid_until``.
    """
    if reference is None or not len(reference.x_m):
        return pose.steering_rad, EXPIRED_MPS2
    expired = now_ns > ns(reference.valid_until)
    place, turn = reference.pose_in_odom.position, heading(reference.pose_in_odom)
    elapsed_s = (now_ns - ns(reference.header.stamp)) / NS
    points = Reference(np.array(reference.x_m), np.array(reference.y_m), float(reference.dt_s))
    anchor = Anchor(place.x, place.y, turn)
    return follow(points, anchor, pose, elapsed_s, vehicle, expired)
