"""Actions of the released models to points: a unicycle under acceleration and curvature."""

from __future__ import annotations

import torch
from torch import Tensor

DT_S = 0.1
# Mean and deviation by which actions are normed, of the public configuration of Alpamayo 1.5.
ACCELERATION_MPS2 = (0.02902694707164455, 0.6810426736454882)
CURVATURE_1PM = (0.0002692167976330542, 0.026148280660833106)


def points(actions: Tensor, speed_mps: float | Tensor) -> Tensor:
    """Points (K, P, 3): x, y [m], heading [rad] of the rear axle in the frame of t0.

    ``actions`` (K, P, 2), normed; ``speed_mps`` at t0.  Speed and curvature are not bounded.
    v' = v + a dt, h' = h + k v dt + k a dt^2 / 2, positions by the trapezoidal rule.
    """
    acceleration = actions[..., 0] * ACCELERATION_MPS2[1] + ACCELERATION_MPS2[0]
    curvature = actions[..., 1] * CURVATURE_1PM[1] + CURVATURE_1PM[0]
    start = torch.as_tensor(speed_mps, dtype=actions.dtype, device=actions.device)
    start = start.expand(len(actions), 1)
    speed = torch.cat([start, start + torch.cumsum(acceleration * DT_S, -1)], -1)
    turned = curvature * speed[:, :-1] * DT_S + curvature * acceleration * (DT_S**2 / 2)
    heading = torch.cat([torch.zeros_like(start), torch.cumsum(turned, -1)], -1)
    axes = []
    for velocity in (speed * heading.cos(), speed * heading.sin()):
        axes.append(torch.cumsum((velocity[:, :-1] + velocity[:, 1:]) * (DT_S / 2), -1))
    return torch.stack([*axes, heading[:, 1:]], -1)
