"""What a plan is worth: near the expert's, and into nothing that the expert avoids.

Objects go on at their present velocity.  They are discs around their middle, the ego is its box;
who comes from behind is not counted.
"""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.simulation.sim_rig import SimVehicle
from alpamayo_ros.training.reinforcement.settings import Rewards
from alpamayo_ros.training.stream.dense import FIRST_OBJECT, OBJECTS, PER_OBJECT

PERSON_M, THING_M, VEHICLE_M = 0.3, 0.4, 0.9  # radii: half the width of each
RADII_M = (PERSON_M, PERSON_M, THING_M, VEHICLE_M, VEHICLE_M, VEHICLE_M)
COUNTED = len(RADII_M)  # of the places of ``dense``: all but the last, behind


def displacement(plan_m: Tensor, expert_m: Tensor) -> Tensor:
    """(B,) mean distance [m] of plans (B, P, 3) from the expert's."""
    return (plan_m - expert_m)[..., :2].norm(dim=-1).mean(-1)


def objects_of(dense: Tensor) -> Tensor:
    """Dense truth (B, D) -> objects (B, 7, 5): there, x, y, vx, vy in base_link at t0."""
    return dense[:, FIRST_OBJECT:].reshape(len(dense), OBJECTS, PER_OBJECT)


def collides(
    plan_m: Tensor, objects: Tensor, vehicle: SimVehicle, dt_s: float, until_s: float
) -> Tensor:
    """(B,) True where the ego's box touches an object's disc on its plan within ``until_s``."""
    plan = plan_m[:, : max(round(until_s / dt_s), 1), None]
    seen = objects[:, None, :COUNTED]
    t = torch.arange(1, plan.shape[1] + 1, device=plan.device)[None, :, None] * dt_s
    dx = seen[..., 1] + seen[..., 3] * t - plan[..., 0]
    dy = seen[..., 2] + seen[..., 4] * t - plan[..., 1]
    cos, sin = plan[..., 2].cos(), plan[..., 2].sin()
    along = (cos * dx + sin * dy - vehicle.centre_m).abs() - vehicle.length_m / 2
    across = (cos * dy - sin * dx).abs() - vehicle.width_m / 2
    away = torch.hypot(along.clamp(min=0), across.clamp(min=0))
    hit = (away < plan.new_tensor(RADII_M)) & (seen[..., 0] > 0)
    return hit.flatten(1).any(1)


def trajectory_reward(off_m: Tensor, contact: Tensor, weights: Rewards) -> Tensor:
    """(B,) -L2 - alpha collision."""
    return -weights.per_metre * off_m - weights.collision * contact.float()
