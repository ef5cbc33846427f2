"""What the simulator knows about the scene around the ego, for training targets and the expert."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.agents import LaneCar
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.sim_rig import SimVehicle

AHEAD_M = (5.0, 10.0, 15.0, 20.0, 30.0, 40.0)
CURVATURE_AHEAD_M = (0.0, 10.0, 20.0, 30.0)
LEADER_RANGE_M = 60.0
OVERLAP_M = 3.0  # a car this far past the bumper still counts as ahead (contact)
IN_LANE_M = 1.8


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """Lane and leader as seen from the ego; offsets and angles positive to the left.

    ``lane_ahead_m``: y in base_link of the lane centre at arc + ``AHEAD_M``; ``leader_gap_m``:
    bumper to bumper along the lane, inf where nobody is within 60 m (speed and acceleration are
    then NaN); ``speed_limit_mps``: the road's speed here (the recipe's V); ``leader_by``: ids of
    the agents that the leader stands for.
    """

    arc_m: float
    lane_offset_m: float
    heading_error_rad: float
    lane_ahead_m: Float[np.ndarray, ' 6']
    curvature_ahead_1pm: Float[np.ndarray, ' 4']
    leader_gap_m: float
    leader_speed_mps: float
    leader_acceleration_mps2: float
    speed_limit_mps: float
    leader_by: tuple[int, ...] = ()


def nearest_leader(cars: Sequence[LaneCar], front_arc_m: float) -> LaneCar | None:
    """The first car in the lane within 60 m ahead of the ego's bumper, or None."""
    return min(cars_ahead(cars, front_arc_m), key=lambda c: c.rear_arc_m, default=None)


def cars_ahead(cars: Sequence[LaneCar], front_arc_m: float) -> list[LaneCar]:
    """The cars in the lane within 60 m ahead of the ego's bumper."""
    return [
        c
        for c in cars
        if -OVERLAP_M < c.rear_arc_m - front_arc_m < LEADER_RANGE_M and abs(c.offset_m) < IN_LANE_M
    ]


def scene_truth(
    road: Road, ego: EgoPose, arc_hint_m: float, cars: Sequence[LaneCar], vehicle: SimVehicle
) -> SceneTruth:
    """Truth for an ego near ``arc_hint_m`` with ``cars`` in its lane."""
    arc, offset, lane_heading = road.locate(ego.x_m, ego.y_m, arc_hint_m)
    ahead, _, _ = road.at(arc + np.array(AHEAD_M))
    away = ahead - np.array([ego.x_m, ego.y_m])
    lateral = -away[:, 0] * math.sin(ego.heading_rad) + away[:, 1] * math.cos(ego.heading_rad)
    front = arc + vehicle.rear_axle_to_front_m
    leader = nearest_leader(cars, front)
    return SceneTruth(
        arc_m=arc,
        lane_offset_m=offset,
        heading_error_rad=math.remainder(ego.heading_rad - lane_heading, 2 * math.pi),
        lane_ahead_m=lateral,
        curvature_ahead_1pm=road.at(arc + np.array(CURVATURE_AHEAD_M))[2],
        leader_gap_m=math.inf if leader is None else leader.rear_arc_m - front,
        leader_speed_mps=math.nan if leader is None else leader.speed_mps,
        leader_acceleration_mps2=math.nan if leader is None else leader.acceleration_mps2,
        speed_limit_mps=road.limit(arc),
        leader_by=() if leader is None else leader.by,
    )
