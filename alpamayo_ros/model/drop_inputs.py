"""Input dropout: in training some samples lose inputs, so that a model learns to do without each.

Navigation and prompt are text: an absent one is an empty text before it becomes tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from alpamayo_ros.model.scene_inputs import SceneInputs


@dataclass(frozen=True, slots=True)
class Rates:
    """Probability that a sample loses an input; ``camera``: each of its cameras, at all times."""

    camera: float = 0.0
    history: float = 0.0
    map: float = 0.0
    prior: float = 0.0


def drop_inputs(
    given: SceneInputs, cameras: Tensor, prior: Tensor, rates: Rates, generator: torch.Generator
) -> tuple[SceneInputs, Tensor, Tensor]:
    """Past motion and lanes, pictures ``cameras`` (B, T, V) and last words ``prior`` (B, R) left.

    1 is there, 0 is not; what was absent stays so.
    """
    batch, _, views = cameras.shape

    def kept(rate: float, *shape: int) -> Tensor:
        draw = torch.rand(batch, *shape, generator=generator)
        return (draw >= rate).to(cameras.device, torch.float32)

    history, lines = kept(rates.history, 1), kept(rates.map, 1)
    if given.history is not None:
        given = replace(given, history_valid=_left(given.history_valid, given.history, history))
    if given.lines is not None:
        given = replace(given, lines_valid=_left(given.lines_valid, given.lines, lines))
    return given, cameras * kept(rates.camera, 1, views), prior * kept(rates.prior, 1)


def _left(valid: Tensor | None, rows: Tensor, kept: Tensor) -> Tensor:
    there = torch.ones(rows.shape[:2], device=rows.device) if valid is None else valid
    return there * kept
