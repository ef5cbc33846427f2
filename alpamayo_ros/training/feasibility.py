"""Kinematic feasibility of a plan as a loss: what no car could drive costs, all else is free.

Limits are those of ``config/limits.param.yaml``, the same that refuse a plan on the road.
Differences span half a second, which keeps them deaf to centimetre noise.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.limits import Limits, load_limits

SPAN_S = 0.5
SLOW_MPS = 1.0  # below it heading over path length is noise
ROUNDING = 1e-3  # of float32: no excess, in any unit


@lru_cache(maxsize=1)
def _limits() -> Limits:
    return load_limits()


def feasibility_terms(plan_m: Tensor, speed_mps: Tensor, dt_s: float) -> dict[str, Tensor]:
    """Mean excess over each limit, in its own unit; arguments as of :func:`excess`."""
    return {name: over.mean() for name, over in excess(plan_m, speed_mps, dt_s).items()}


def inside_limits(plan_m: Tensor, speed_mps: Tensor, dt_s: float) -> Tensor:
    """(B,) whether a plan exceeds no limit anywhere; arguments as of :func:`excess`."""
    worst = [over.amax(1) for over in excess(plan_m, speed_mps, dt_s).values()]
    return torch.stack(worst).amax(0) <= ROUNDING


def excess(plan_m: Tensor, speed_mps: Tensor, dt_s: float) -> dict[str, Tensor]:
    """(B, N) excess over each limit along a plan, in its own unit; N differs by limit.

    ``plan_m`` (B, P, 3): metres and radians in base_link at t0; ``speed_mps`` (B,) there.
    acceleration and lateral acceleration [m/s2], curvature [1/m], jerk [m/s3]; ``stopping`` [m]:
    by how much a plan falls short of the distance ``v t - a t^2 / 2`` that is driven even under
    the hardest braking, until it stands.
    """
    most, n = _limits(), max(round(SPAN_S / dt_s), 1)
    span = n * dt_s
    velocity = (plan_m[:, n:, :2] - plan_m[:, :-n, :2]) / span
    speed = velocity.norm(dim=-1)
    yaw_rate = (plan_m[:, n:, 2] - plan_m[:, :-n, 2]) / span
    acceleration = (speed[:, n:] - speed[:, :-n]) / span
    jerk = (acceleration[:, n:] - acceleration[:, :-n]) / span
    curvature = yaw_rate.abs() / speed.clamp(min=SLOW_MPS)
    return {
        'acceleration': F.relu(acceleration - most.acceleration_mps2)
        + F.relu(-acceleration - most.deceleration_mps2),
        'lateral': F.relu((yaw_rate * speed).abs() - most.lateral_acceleration_mps2),
        'curvature': F.relu(curvature - most.curvature_1pm),
        'jerk': F.relu(jerk.abs() - most.longitudinal_jerk_mps3),
        'stopping': _short_of_stopping(plan_m, speed_mps, dt_s, most.deceleration_mps2),
    }


def _short_of_stopping(plan_m: Tensor, speed_mps: Tensor, dt_s: float, brake: float) -> Tensor:
    """(B, P) metres that are missing to the shortest distance a car can have driven by then."""
    start = torch.zeros_like(plan_m[:, :1, :2])
    path = torch.diff(torch.cat([start, plan_m[..., :2]], 1), dim=1).norm(dim=-1).cumsum(1)
    t = torch.arange(1, plan_m.shape[1] + 1, device=plan_m.device) * dt_s
    t = torch.minimum(t[None], speed_mps[:, None] / brake)
    return F.relu(speed_mps[:, None] * t - brake * t**2 / 2 - path)


def feasibility_loss(plan_m: Tensor, speed_mps: Tensor, dt_s: float) -> Tensor:
    """Sum of :func:`feasibility_terms`."""
    return torch.stack(list(feasibility_terms(plan_m, speed_mps, dt_s).values())).sum()
