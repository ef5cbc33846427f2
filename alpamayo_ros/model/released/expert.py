"""Action expert: flow matching over accelerations and curvatures (Lipman et al. 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.released.sizes import Sizes
from alpamayo_ros.model.released.stack import Cache, Place, Stack

FEATURES = 10  # frequencies, each as sine and cosine, of two actions and of time
MAX_FREQUENCY = 100.0
EPS = 1e-5


class Reader(nn.Module):
    """Fourier features of actions and time, three layers, a norm."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(3 * 2 * FEATURES, hidden)
        self.norm1 = nn.RMSNorm(hidden, EPS)
        self.second = nn.Linear(hidden, hidden)
        self.norm2 = nn.RMSNorm(hidden, EPS)
        self.third = nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, actions: Tensor, time: Tensor) -> Tensor:
        """Actions (N, 2) at flow time ``time`` (0 noise, 1 data) to (N, width)."""
        dtype = self.first.weight.dtype
        last = math.log10(MAX_FREQUENCY)
        # Rounded to the type of the weights, as the released model does with its own.
        frequency = torch.logspace(0, last, FEATURES, device=actions.device).to(dtype).float()
        numbers = torch.cat([actions, time.expand(len(actions), 1)], -1)
        angle = numbers[..., None] * frequency * 2 * math.pi
        x = (torch.cat([angle.sin(), angle.cos()], -1) * math.sqrt(2)).flatten(1).to(dtype)
        x = self.norm1(F.silu(self.first(x)))
        x = self.norm2(F.silu(self.second(x)))
        tokens: Tensor = self.norm(self.third(x))
        return tokens


class Expert(nn.Module):
    """Velocity of the flow; each layer attends to the language model's keys of the same layer."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.read = Reader(sizes.hidden, sizes.expert.width)
        self.stack = Stack(sizes.expert)
        self.write = nn.Linear(sizes.expert.width, 2)

    def forward(self, actions: Tensor, time: Tensor, place: Place, cache: Cache) -> Tensor:
        """Velocity (K P, 2) of the actions (K P, 2) of K candidates at flow time ``time`` (1)."""
        x = self.stack(self.read(actions, time), place, cache)
        velocity: Tensor = self.write(x)
        return velocity.float()
