"""The reward falls with the distance from the expert's plan and with a contact."""

import pytest
import torch

from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.training.reinforcement.rewards import (
    collides,
    displacement,
    objects_of,
    trajectory_reward,
)
from alpamayo_ros.training.reinforcement.settings import Rewards
from alpamayo_ros.training.stream.dense import COLUMNS, FIRST_OBJECT, PER_OBJECT

WEIGHTS = Rewards(per_metre=0.5, collision=2.0, collision_s=3.0, agreement=1.0, score=0.0)
AHEAD, BEHIND = 3, 6  # places of dense truth


def straight(mps: float) -> torch.Tensor:
    """A plan (1, 60, 3) straight on at one speed."""
    plan = torch.zeros(1, 60, 3)
    plan[0, :, 0] = torch.arange(1, 61) * 0.1 * mps
    return plan


def with_object(place: int, *numbers: float) -> torch.Tensor:
    """Objects (1, 7, 5) with one: x, y, vx, vy."""
    dense = torch.zeros(1, COLUMNS)
    at = FIRST_OBJECT + place * PER_OBJECT
    dense[0, at : at + PER_OBJECT] = torch.tensor([1.0, *numbers])
    return objects_of(dense)


def touches(plan: torch.Tensor, objects: torch.Tensor, until_s: float = 3.0) -> bool:
    return bool(collides(plan, objects, sim_vehicle(), 0.1, until_s)[0])


def test_the_reward_falls_with_distance_and_contact() -> None:
    off = torch.tensor([0.0, 1.0, 1.0])
    found = trajectory_reward(off, torch.tensor([False, False, True]), WEIGHTS)
    assert found.tolist() == [0.0, -0.5, -2.5]


def test_distance_is_the_mean_over_the_horizon() -> None:
    assert float(displacement(straight(6.0), straight(5.0))) == pytest.approx(3.05)


def test_a_box_meets_what_stands_in_its_way() -> None:
    front = sim_vehicle().rear_axle_to_front_m
    standing = with_object(AHEAD, front + 12.0, 0.0, 0.0, 0.0)
    assert touches(straight(5.0), standing) and not touches(straight(3.0), standing)
    assert not touches(straight(5.0), standing, until_s=1.0)
    aside = sim_vehicle().width_m / 2 + 1.0
    assert not touches(straight(5.0), with_object(AHEAD, 12.0, aside, 0.0, 0.0))
    assert touches(straight(5.0), with_object(AHEAD, 12.0, aside - 0.2, 0.0, 0.0))


def test_objects_move_on_and_nobody_is_hit_from_behind() -> None:
    away = with_object(AHEAD, 15.0, 0.0, 6.0, 0.0)
    assert not touches(straight(5.0), away)
    crossing = with_object(0, 14.0, -3.0, 0.0, 1.5)  # in the way after 2 s
    assert touches(straight(5.0), crossing) and not touches(straight(0.0), crossing)
    assert not touches(straight(0.0), with_object(BEHIND, -12.0, 0.0, 9.0, 0.0))


def test_the_box_turns_with_the_plan() -> None:
    turned = torch.zeros(1, 60, 3)
    turned[..., 2] = torch.pi / 2  # on the spot: the nose points to the left
    beside = with_object(4, 0.0, 3.0, 0.0, 0.0)
    assert touches(turned, beside) and not touches(straight(0.0), beside)
