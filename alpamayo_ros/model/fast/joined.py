"""Products of one input as a single product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Product:
    """``x W^T + b``; ``weight`` (outside, inside)."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """(..., inside) -> (..., outside)."""
        return F.linear(x, self.weight, self.bias)


def joined(*linears: nn.Linear) -> Product:
    """The outputs of ``linears`` behind each other, in one product.

    Their parameters become views of it, so that the modules still work and no weight is kept
    twice.  To be called once a layer: a second product would be a copy.
    """
    biases = [linear.bias for linear in linears if linear.bias is not None]
    weight = _shared([linear.weight for linear in linears])
    return Product(weight, _shared(biases) if biases else None)


def _shared(parts: Sequence[Tensor]) -> Tensor:
    whole = torch.cat([part.detach() for part in parts])
    for part, view in zip(parts, whole.split([len(part) for part in parts]), strict=True):
        part.data = view
    return whole
