"""What a step did: boxes, contacts, rules, and how far traffic left the way open."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from alpamayo_ros.simulation.agents import Agent, LaneCar
from alpamayo_ros.simulation.ego import EgoPose
from alpamayo_ros.simulation.oriented_boxes import Box
from alpamayo_ros.simulation.outcome import IN_LANE_M, STANDING_MPS, Outcome
from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.simulation.worlds.contacts import side
from alpamayo_ros.types import TrackedObject

if TYPE_CHECKING:
    from alpamayo_ros.simulation.worlds.simulation import Simulation

EXPERT_GAP_M = 5.0  # a good driver stops this far behind a standing car


def ego_box(pose: EgoPose, vehicle: SimVehicle) -> Box:
    """The ego's rectangle in the world frame."""
    c, s = math.cos(pose.heading_rad), math.sin(pose.heading_rad)
    x, y = pose.x_m + vehicle.centre_m * c, pose.y_m + vehicle.centre_m * s
    return Box(x, y, pose.heading_rad, vehicle.length_m, vehicle.width_m)


def tracked(
    agents: Iterable[Agent], pose: EgoPose, now_ns: int, range_m: float
) -> list[TrackedObject]:
    """Ground-truth boxes within ``range_m``, centre and heading in base_link."""
    out, c, s = [], math.cos(pose.heading_rad), math.sin(pose.heading_rad)
    for a in agents:
        dx, dy = a.x_m - pose.x_m, a.y_m - pose.y_m
        if math.hypot(dx, dy) <= range_m:
            heading = math.remainder(a.heading_rad - pose.heading_rad, 2 * math.pi)
            place = (c * dx + s * dy, -s * dx + c * dy, heading)
            size = (a.length_m, a.width_m)
            out.append(TrackedObject(a.id, a.kind, now_ns, *place, a.speed_mps, *size))
    return out


def note_contacts(outcome: Outcome, mine: Box, speed_mps: float, agents: Iterable[Agent]) -> None:
    """Contacts of the ego's box, and whose fault they are (``simulation.road_rules``)."""
    between_lanes = outcome.offset_m + mine.width_m / 2 > IN_LANE_M
    for a in agents:
        touched = side(mine, speed_mps, a)
        if touched:
            outcome.collisions += 1
            fault = touched == 'ahead' or (touched == 'beside' and between_lanes)
            outcome.collisions_at_fault += int(speed_mps > STANDING_MPS and fault)
            outcome.contact = outcome.contact or a.kind


def note_rules(
    sim: Simulation,
    offset_m: float,
    turned_rad: float,
    shift_m: float,
    red_line_m: float | None,
    dt_s: float,
) -> None:
    """Speed limit, wrong way and stop lines; ``red_line_m``: arc of a stop line at red."""
    speed, rules = sim.pose.speed_mps, sim.outcome.rules
    middle_m = offset_m + sim.vehicle.centre_m * math.sin(turned_rad)
    rules.note_speed(speed, sim.scenario.speed_limit_mps, dt_s)
    edge_m = sim.wrong_way_from_m + max(shift_m, 0.0)
    rules.note_way(speed, middle_m, edge_m, turned_rad, dt_s)
    front_m = sim.arc_m + sim.vehicle.rear_axle_to_front_m
    rules.note_line(speed, None if red_line_m is None else front_m - red_line_m)


def reachable_m(goal_m: float, cars: Iterable[LaneCar], start_front_m: float) -> float:
    """The distance from the start that the cars in the lane leave open, at most the goal."""
    stops = (car.rear_arc_m - EXPERT_GAP_M - start_front_m for car in cars)
    return min([goal_m, *stops])
