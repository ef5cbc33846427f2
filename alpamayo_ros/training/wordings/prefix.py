"""Prefixes of samples in which a passenger says something else; instructions stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.training.batches import real_prefix


class Prefix(NamedTuple):
    """Text before the pictures: ids and which of them are real, (B, X)."""

    ids: Tensor
    real: Tensor


def with_wishes(
    tokenizer: Tokenizer, most: int, before: Prefix, wishes: Sequence[Sequence[int]]
) -> Prefix:
    """``before`` with a wish (token ids) a row in place of its own, cut to ``most`` in all."""
    rows = [
        _joined(tokenizer, most, row[: int(count)], wish)
        for row, count, wish in zip(
            before.ids.tolist(), before.real.sum(1).tolist(), wishes, strict=True
        )
    ]
    longest = max(map(len, rows))
    padded = [row + [-1] * (longest - len(row)) for row in rows]
    return Prefix(*real_prefix(torch.tensor(padded, device=before.ids.device)))


def _joined(tokenizer: Tokenizer, most: int, row: list[int], wish: Sequence[int]) -> list[int]:
    """The openers, the wish, and ``row`` from the opener of the navigation instruction on."""
    special = tokenizer.special
    instruction = row[row.index(special('navigation')) :]
    return [special('bos'), special('prompt'), *wish[: most - 2 - len(instruction)], *instruction]
