"""Ego motion as the networks read it: one home for which numbers, and at what scale.

Present speed alone: longer histories brought nothing at nano's size (docs/design.md).
"""

from __future__ import annotations

from torch import Tensor, nn

SPEED_SCALE_MPS = 10.0  # town speeds become numbers of order 1
NUMBERS = 1  # width of ``ego_numbers``


def ego_numbers(speed_mps: Tensor) -> Tensor:
    """(B,) m/s -> (B, NUMBERS), of order 1."""
    return speed_mps[:, None] / SPEED_SCALE_MPS


class EgoEncoder(nn.Sequential):
    """(B,) present speed in m/s -> (B, width)."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__(nn.Linear(NUMBERS, hidden), nn.SiLU(), nn.Linear(hidden, width))

    def forward(self, speed_mps: Tensor) -> Tensor:
        return super().forward(ego_numbers(speed_mps).to(next(self.parameters()).dtype))
