"""200 cycles of drives, from rest to a stop, through the checks of Autoware's validator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from planning_validator import faults

from alpamayo_ros.bridges.autoware.points import Points, from_columns, in_map, with_start
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common.convert import heading, ns
from alpamayo_ros.nodes.messages.plans import Origin, plan_message
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Cycle, Drive
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.types import PlannerInput, Proposal
from alpamayo_ros.units import NS

DRIVEN, STANDING = 80, 20  # cycles with proposals; cycles at the end of a stop
LATENCY_NS = 80_000_000  # from t0 to the plan, as nano takes on two cores


def sent(cycle: Cycle) -> Points:
    """The trajectory that would leave for the plan of a cycle."""
    plan = cycle.decision.plan
    assert plan is not None
    message = plan_message(plan, cycle.decision, Origin(plan.t0_ns))
    where = message.pose_in_odom
    at = (where.position.x, where.position.y, heading(where))
    assert ns(message.header.stamp) == plan.t0_ns
    return in_map(with_start(from_columns(message)), *at)


class DyingPlanner(ExpertPlanner):
    """The expert, until it has answered ``DRIVEN`` times; the car is then stopped without it."""

    answers = 0

    def propose(self, inputs: PlannerInput) -> Proposal | Fault:
        self.answers += 1
        if self.answers > DRIVEN:
            return Fault(Code.MODEL_ABSENT)
        return super().propose(inputs)


@pytest.mark.parametrize('name', ['winding_road', 'slowing_leader'])
def test_every_cycle_from_rest_to_a_stop_passes_the_validator(name: str) -> None:
    drive = Drive(load_scenario(name), 3, DyingPlanner(load_profile('nano')))
    refused, speeds, sources = [], [], set()
    before: Points | None = None
    while not drive.sim.done and not (len(speeds) > DRIVEN and max(speeds[-STANDING:]) < 0.05):
        cycle = drive.step()
        if cycle.decision.plan is None:
            continue
        points, now = sent(cycle), drive.sim.pose
        age_s = (cycle.now_ns + LATENCY_NS - cycle.decision.plan.t0_ns) / NS
        car = (now.x_m, now.y_m, now.heading_rad, now.speed_mps)
        found = faults(points, age_s, car, before, sim_vehicle().wheelbase_m)
        refused += [(len(speeds), fault) for fault in found]
        before = points
        speeds.append(cycle.ego.speed_mps)
        sources.add(cycle.decision.plan.source)
    drive.close()
    print(f'{name}: {len(speeds)} cycles, {len(refused)} refused, to {max(speeds):.1f} m/s')
    assert refused == [] and len(speeds) >= DRIVEN + STANDING
    assert speeds[0] < 0.1 and max(speeds) > 3.0 and speeds[-1] < 0.05
    assert sources == {'model', 'fallback'}


@pytest.mark.parametrize(
    ('column', 'change', 'said'),
    [
        ('x_m', lambda x: x + 3.0, 'begins behind the car'),
        ('y_m', lambda y: np.where(np.arange(61) == 30, y + 5.0, y), 'relative angle'),
        ('steering_rad', lambda s: s + 2.0, 'steering'),
        ('acceleration_mps2', lambda a: a - 20.0, 'longitudinal acceleration'),
        ('time_s', lambda t: t + 0.1, 'times'),
    ],
)
def test_the_written_out_checks_can_refuse(column, change, said) -> None:
    time_s = np.arange(61) * 0.1
    still = np.zeros(61)
    straight = Points(time_s, 5.0 * time_s, still, still, still + 5.0, still, still, still)
    car = (0.0, 0.0, 0.0, 5.0)
    assert faults(straight, 0.1, car, straight, 2.7) == []
    assert said in faults(
        replace(straight, **{column: change(getattr(straight, column))}), 0.1, car, None, 2.7
    )
    late = replace(straight, y_m=straight.y_m + 1.0)
    assert faults(late, 2.0, car, straight, 2.7) == ['latency', 'lateral shift']
