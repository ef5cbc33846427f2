"""Paths as messages of Autoware: Trajectory, and candidates for its generator framework.

Autoware's packages are optional: nothing here imports them, ``stack`` looks for them once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from alpamayo_ros.bridges.autoware.points import Points, from_path, in_map, with_start
from alpamayo_ros.msg import CandidateArray, NavInstruction
from alpamayo_ros.nodes.common.convert import heading, pose
from alpamayo_ros.other_stack import AUTOWARE
from alpamayo_ros.sensing.navigation import Maneuver
from alpamayo_ros.statuses import MachineError
from alpamayo_ros.units import NS

SPACE = uuid.UUID('4a1d8a0e-6f0b-5f0e-9d55-2d6b6c8f3f10')  # of our generators' ids
# autoware_vehicle_msgs/TurnIndicatorsCommand
OFF, LEFT, RIGHT = 1, 2, 3
INDICATED_M = 50.0  # before the turn, as drivers are taught
TURNS: dict[int, int] = {
    Maneuver.LEFT: LEFT, Maneuver.MERGE_LEFT: LEFT, Maneuver.U_TURN: LEFT,
    Maneuver.RIGHT: RIGHT, Maneuver.MERGE_RIGHT: RIGHT,
}  # fmt: skip


def stack() -> SimpleNamespace:
    """The message packages of Autoware by name; MachineError names the one that is missing."""
    found = {}
    for name in AUTOWARE:
        try:
            found[name] = import_module(f'{name}.msg')
        except ImportError as error:
            raise MachineError(
                f'autoware: {name} is not installed; source the setup.bash of your Autoware '
                'workspace first, or leave --autoware out'
            ) from error
    return SimpleNamespace(**found)


@dataclass(frozen=True, slots=True)
class Generator:
    """One candidate as a generator: its name, and an id that is the same in every cycle."""

    name: str
    id: bytes


def generators(name: str, count: int) -> tuple[Generator, ...]:
    """A generator for each of ``count`` candidates; Autoware finds its reports by the id."""
    names = [f'{name}_{index}' for index in range(count)]
    return tuple(Generator(n, uuid.uuid5(SPACE, n).bytes) for n in names)


def trajectory(kinds: Any, stamp: Any, frame: str, points: Points) -> Any:
    """autoware_planning_msgs/Trajectory of points in ``frame``, times counted from ``stamp``."""
    message = kinds.autoware_planning_msgs.Trajectory()
    message.header.stamp, message.header.frame_id = stamp, frame
    message.points = trajectory_points(kinds, points)
    return message


def trajectory_points(kinds: Any, points: Points) -> list[Any]:
    """autoware_planning_msgs/TrajectoryPoint, one for each point."""
    made = []
    for i, time_s in enumerate(points.time_s):
        point = kinds.autoware_planning_msgs.TrajectoryPoint()
        time_ns = round(float(time_s) * NS)
        point.time_from_start.sec, point.time_from_start.nanosec = divmod(time_ns, NS)
        place = (points.x_m[i], points.y_m[i], points.heading_rad[i])
        point.pose = pose(*(float(value) for value in place))
        point.longitudinal_velocity_mps = float(points.speed_mps[i])
        point.acceleration_mps2 = float(points.acceleration_mps2[i])
        point.heading_rate_rps = float(points.yaw_rate_rps[i])
        point.front_wheel_angle_rad = float(points.steering_rad[i])
        made.append(point)
    return made


def candidates(
    kinds: Any,
    message: CandidateArray,
    named: Sequence[Generator],
    frame: str,
    wheelbase_m: float,
    indicator: int,
) -> Any:
    """CandidateTrajectories of those candidates that no check refused.

    ``indicator`` goes into ``turn_indicators_command`` where the installed message has the field.
    """
    module = kinds.autoware_internal_planning_msgs
    out = module.CandidateTrajectories()
    where = message.pose_in_odom
    at = (where.position.x, where.position.y, heading(where))
    for item in message.candidates:
        if not item.feasible or item.index >= len(named):
            continue
        x_m, y_m, heading_rad, speed_mps = (
            np.array(getattr(item, f'feasible_{name}'), float)
            for name in ('x_m', 'y_m', 'heading_rad', 'speed_mps')
        )
        path = from_path(float(item.dt_s), x_m, y_m, heading_rad, speed_mps, wheelbase_m)
        points = in_map(with_start(path), *at)
        one, about = module.CandidateTrajectory(), module.GeneratorInfo()
        one.header.stamp, one.header.frame_id = message.header.stamp, frame
        one.points = trajectory_points(kinds, points)
        known = named[item.index]
        one.generator_id.uuid = about.generator_id.uuid = np.frombuffer(known.id, np.uint8)
        about.generator_name.data = known.name
        if hasattr(one, 'turn_indicators_command'):
            one.turn_indicators_command.command = indicator
            one.turn_indicators_command.stamp = message.header.stamp
        out.candidate_trajectories.append(one)
        out.generator_info.append(about)
    return out


def indicator(instruction: NavInstruction | None) -> int:
    """TurnIndicatorsCommand for the instruction in force: off until the turn is near."""
    if instruction is None or not instruction.distance_m <= INDICATED_M:
        return OFF
    return TURNS.get(instruction.maneuver, OFF)
