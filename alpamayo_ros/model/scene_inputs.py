"""Scene tokens besides the pictures: past motion and lane polylines, each of which may be absent.

What is absent is a learned token in its place, so the sequence keeps its length and needs no mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alpamayo_ros.model.ego import SPEED_SCALE_MPS
from alpamayo_ros.profile import ModelProfile

HIDDEN = 256
ACCELERATION_SCALE_MPS2 = 3.0  # numbers of order 1, as SPEED_SCALE_MPS
STEERING_SCALE_RAD = 0.2
MAP_SCALE_M = 20.0


@dataclass(frozen=True, slots=True)
class SceneInputs:
    """What the tokens of a batch are made of; ``None``: absent in the whole batch.

    ``history`` (B, H, 3): speed m/s, acceleration m/s2, steering rad at t0 - k * spacing, newest
    first; ``lines`` (B, L, P, 2): points in base_link at t0, in metres, in driving direction;
    ``age_s`` (B, T, V): true ages of the pictures.  ``history_valid`` (B, H) and ``lines_valid``
    (B, L) are 0 where a token is absent.
    """

    history: Tensor | None = None
    history_valid: Tensor | None = None
    lines: Tensor | None = None
    lines_valid: Tensor | None = None
    age_s: Tensor | None = None


class Encoded(nn.Module):
    """Rows of numbers (B, N, numbers) to tokens (B, N, width), a learned one where absent."""

    def __init__(self, count: int, numbers: int, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(numbers, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, width))
        self.slot = nn.Parameter(torch.randn(1, count, width) * 0.02)
        self.missing = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, rows: Tensor | None, valid: Tensor | None, batch: int) -> Tensor:
        """``valid`` (B, N) is 0 where a row is absent; None: all are there."""
        if rows is None:
            return (self.missing + self.slot).expand(batch, -1, -1)
        keep = torch.ones_like(rows[..., :1]) if valid is None else valid[..., None]
        rows = torch.where(
            keep > 0, rows, torch.zeros_like(rows)
        )  # a NaN that is absent stays out
        keep = keep.to(self.slot.dtype)
        return self.net(rows.to(self.slot.dtype)) * keep + self.missing * (1 - keep) + self.slot


class HistoryTokens(Encoded):
    """Past motion, one token an instant."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__(profile.ego_history.count, 3, profile.backbone.width)
        scale = [SPEED_SCALE_MPS, ACCELERATION_SCALE_MPS2, STEERING_SCALE_RAD]
        self.register_buffer('scale', torch.tensor(scale, dtype=torch.float32), persistent=False)

    def tokens(self, given: SceneInputs, batch: int) -> Tensor:
        """(B, H, width)."""
        if given.history is None:
            return self(None, None, batch)
        return self(given.history / self.scale, given.history_valid, batch)


class MapTokens(Encoded):
    """Lane polylines, one token a line."""

    def __init__(self, profile: ModelProfile) -> None:
        lines, points = profile.inputs.map_lines, profile.inputs.map_points
        super().__init__(lines, 2 * points, profile.backbone.width)

    def tokens(self, given: SceneInputs, batch: int) -> Tensor:
        """(B, L, width)."""
        if given.lines is None:
            return self(None, None, batch)
        return self(given.lines.flatten(2) / MAP_SCALE_M, given.lines_valid, batch)
