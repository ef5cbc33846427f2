"""What every trajectory denoiser has: the plan's normalisation, diffusion time and speed.

Plans are normalised as the deviation from driving straight on at the present speed, one mean and
one scale per point with a floor (docs/design.md, "Trajectory").
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from alpamayo_ros.model.ego import EgoEncoder
from alpamayo_ros.profile import ModelProfile

KeysValues = list[tuple[Tensor, Tensor]]
TIME_NUMBERS = 64


def time_network(width: int) -> nn.Sequential:
    """Sinusoids of diffusion time (B, TIME_NUMBERS) -> (B, width)."""
    return nn.Sequential(nn.Linear(TIME_NUMBERS, width), nn.SiLU(), nn.Linear(width, width))


class Denoiser(nn.Module, ABC):
    """Noisy normalised plans (B, P, 3) at time t in 0..1 to what the profile predicts."""

    time: nn.Sequential
    ego: EgoEncoder

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        self.points, self.dt_s = profile.trajectory.points, profile.trajectory.dt_s
        self.register_buffer('mean', torch.zeros(self.points, 3))
        self.register_buffer('std', torch.ones(self.points, 3))

    @abstractmethod
    def context(self, hidden: Tensor) -> KeysValues:
        """Keys and values of the backbone's hidden states (B, S, width), one pair a layer.

        Computed once a cycle; every pair has one shape.
        """

    @abstractmethod
    def forward(self, x: Tensor, c: Tensor, context: KeysValues, mask: Tensor) -> Tensor:
        """``c`` from :meth:`condition`; K neighbours of x share a context and its mask."""

    def condition(self, t: Tensor, speed_mps: Tensor) -> Tensor:
        """(B, width) from diffusion time in 0..1 and present speed."""
        return self.time_embedding(t) + self.ego(speed_mps)

    def time_embedding(self, t: Tensor) -> Tensor:
        """(B,) diffusion time in 0..1 -> (B, width)."""
        top = math.log(1000.0)
        f = torch.exp(torch.linspace(0, top, TIME_NUMBERS // 2, device=t.device)) * t[:, None]
        numbers = torch.cat([f.sin(), f.cos()], 1)
        return self.time(numbers.to(next(self.time.parameters()).dtype))

    def straight(self, speed_mps: Tensor) -> Tensor:
        """(B, P, 3) metres: driving straight on at the present speed."""
        t = torch.arange(1, self.points + 1, device=speed_mps.device) * self.dt_s
        x = speed_mps[:, None] * t
        return torch.stack([x, torch.zeros_like(x), torch.zeros_like(x)], -1)

    def normalise(self, plan: Tensor, speed_mps: Tensor) -> Tensor:
        """Metres and radians to network units."""
        return (plan - self.straight(speed_mps) - self.mean) / self.std

    def to_metres(self, z: Tensor, speed_mps: Tensor) -> Tensor:
        """Network units to metres and radians in base_link at t0."""
        return z * self.std + self.mean + self.straight(speed_mps)
