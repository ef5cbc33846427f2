"""Rotary positions in time, height and width (M-RoPE, interleaved; Qwen3-VL report, 2025)."""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.model.released.vocabulary import PICTURE


def positions(ids: Tensor, rows: int, columns: int) -> Tensor:
    """Positions (3, N) of a prompt ``ids`` (N) whose pictures are ``rows`` x ``columns`` tokens.

    A word counts 1 on all axes.  A picture stands still in time and counts rows and columns from
    its beginning; what follows begins behind its largest position.
    """
    grid = torch.stack(
        [
            torch.zeros(rows * columns, dtype=torch.long),
            torch.arange(rows).repeat_interleave(columns),
            torch.arange(columns).repeat(rows),
        ]
    )
    found, start, at = [], 0, 0
    picture = (ids == PICTURE).tolist()
    while at < len(picture):
        if picture[at]:
            if picture[at : at + rows * columns] != [True] * (rows * columns):
                raise ValueError(f'token {at}: a picture has {rows} x {columns} tokens in a row')
            found.append(grid + start)
            start, at = start + max(rows, columns), at + rows * columns
            continue
        stop = picture.index(True, at) if True in picture[at:] else len(picture)
        found.append(torch.arange(start, start + stop - at).expand(3, -1))
        start, at = start + stop - at, stop
    return torch.cat(found, 1)


def tables(where: Tensor, theta: float, sections: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """cos and sin, each (N, half a head), of positions ``where`` (3, N).

    Frequency j turns with the height if j % 3 is 1, with the width if it is 2, as far as their
    ``sections`` reach, and with time elsewhere.
    """
    half = sum(sections)
    j = torch.arange(half, device=where.device)
    inverse = theta ** (-2 * j.float() / (2 * half))
    axis = torch.zeros_like(j)
    for number in (1, 2):
        axis[(j % 3 == number) & (j < 3 * sections[number])] = number
    angle = where.float()[axis].T * inverse
    return angle.cos(), angle.sin()
