"""The messages of Autoware themselves: what leaves holds, field by field, what is meant."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
pytest.importorskip('autoware_planning_msgs', reason='see tools/autoware_messages')
pytest.importorskip('autoware_internal_planning_msgs', reason='see tools/autoware_messages')

from alpamayo_ros.bridges.autoware.points import Points, in_map, with_start
from alpamayo_ros.msg import Candidate, CandidateArray, NavInstruction
from alpamayo_ros.nodes.common.convert import floats, heading, ns, pose, stamp
from alpamayo_ros.nodes.stack import messages
from alpamayo_ros.units import NS

T0 = 1234 * NS + 567
KINDS = messages.stack()


def path(speed_mps: float = 5.0) -> Points:
    time_s, one = np.arange(1, 61) * 0.1, np.ones(60)
    zero = 0 * one
    columns = (time_s, speed_mps * time_s, zero, zero, speed_mps * one, zero, zero, 0.1 * one)
    return Points(*columns)


def proposals(count: int, refused: int) -> CandidateArray:
    """``count`` candidates straight on from (10, 20) heading north, one of them refused."""
    out = CandidateArray(pose_in_odom=pose(10.0, 20.0, math.pi / 2), odom_frame='map')
    out.header.stamp = stamp(T0)
    for k in range(count):
        x = (k + 1) * np.arange(1, 61) * 0.1
        columns = {'feasible_x_m': x, 'feasible_y_m': 0 * x, 'feasible_heading_rad': 0 * x}
        columns['feasible_speed_mps'] = 0 * x + k + 1
        one = Candidate(index=k, dt_s=0.1, feasible=k != refused)
        for name, values in columns.items():
            setattr(one, name, floats(values))
        out.candidates.append(one)
    return out


def test_a_trajectory_begins_at_t0_in_the_map() -> None:
    points = in_map(with_start(path()), 10.0, 20.0, math.pi / 2)
    made = messages.trajectory(KINDS, stamp(T0), 'map', points)
    assert made.header.frame_id == 'map' and ns(made.header.stamp) == T0
    first, last = made.points[0], made.points[-1]
    assert (first.pose.position.x, first.pose.position.y) == (10.0, 20.0)
    assert (first.time_from_start.sec, first.time_from_start.nanosec) == (0, 0)
    times = [ns(p.time_from_start) for p in made.points]
    assert all(b > a for a, b in zip(times, times[1:], strict=False)) and times[-1] == 6 * NS
    assert last.pose.position.y == pytest.approx(50.0) and heading(last.pose) == pytest.approx(
        math.pi / 2
    )
    assert last.longitudinal_velocity_mps == 5.0
    assert last.front_wheel_angle_rad == pytest.approx(0.1)


def test_candidates_that_passed_leave_with_ids_that_stay() -> None:
    named = messages.generators('DiffusionPlanner_alpamayo', 8)
    made = messages.candidates(KINDS, proposals(8, refused=2), named, 'map', 2.7, messages.LEFT)
    assert len(made.candidate_trajectories) == len(made.generator_info) == 7
    ids = [bytes(c.generator_id.uuid) for c in made.candidate_trajectories]
    assert len(set(ids)) == 7
    assert ids == [bytes(i.generator_id.uuid) for i in made.generator_info]
    names = [i.generator_name.data for i in made.generator_info]
    assert all(name.startswith('DiffusionPlanner_') for name in names) and len(set(names)) == 7
    again = messages.generators('DiffusionPlanner_alpamayo', 8)
    assert again == named
    one = made.candidate_trajectories[0]
    assert one.header.frame_id == 'map' and ns(one.header.stamp) == T0
    assert len(one.points) == 61 and one.points[0].pose.position.x == 10.0
    assert one.points[-1].pose.position.y == pytest.approx(26.0)
    if hasattr(one, 'turn_indicators_command'):
        assert one.turn_indicators_command.command == messages.LEFT


class _OfToday:
    """CandidateTrajectory since 1.14, as far as it is written."""

    def __init__(self) -> None:
        self.header = SimpleNamespace()
        self.generator_id = SimpleNamespace()
        self.points: list[object] = []
        self.turn_indicators_command = SimpleNamespace(command=0, stamp=None)


def test_the_turn_indicator_is_filled_where_the_message_has_it() -> None:
    module = KINDS.autoware_internal_planning_msgs
    newer = SimpleNamespace(
        CandidateTrajectories=lambda: SimpleNamespace(
            candidate_trajectories=[], generator_info=[]
        ),
        CandidateTrajectory=_OfToday,
        GeneratorInfo=module.GeneratorInfo,
    )
    kinds = SimpleNamespace(**{**vars(KINDS), 'autoware_internal_planning_msgs': newer})
    named = messages.generators('x', 2)
    made = messages.candidates(kinds, proposals(2, refused=9), named, 'map', 2.7, messages.RIGHT)
    assert [c.turn_indicators_command.command for c in made.candidate_trajectories] == [3, 3]


@pytest.mark.parametrize(
    ('maneuver', 'distance_m', 'wanted'),
    [(1, 30.0, 2), (2, 30.0, 3), (1, 80.0, 1), (1, math.nan, 1), (0, 0.0, 1), (5, 10.0, 2)],
)
def test_the_indicator_waits_until_the_turn_is_near(maneuver, distance_m, wanted) -> None:
    found = NavInstruction(maneuver=maneuver, distance_m=distance_m)
    assert messages.indicator(found) == wanted and messages.indicator(None) == 1
