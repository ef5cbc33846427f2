"""Products of one input as a single product; a large one may be narrowed to eight bits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.fast.eight_bits import EightBits


class Product:
    """``x W^T + b``; ``weight`` (outside, inside) is what the parameters ``parts`` are views of.

    ``largest``: while it is watched, the largest number of its inputs, on the device.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, parts: Sequence[Tensor]) -> None:
        self.weight, self.bias, self._parts = weight, bias, parts
        self.largest: Tensor | None = None
        self.eight_bits: EightBits | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """(..., inside) -> (..., outside)."""
        if self.eight_bits is not None:
            return self.eight_bits(x)
        self._look(x)
        return F.linear(x, self.weight, self.bias)

    def added(self, x: Tensor, to: Tensor) -> Tensor:
        """Rows ``to`` (N, outside) with the product of ``x`` (N, inside) added to them."""
        if self.eight_bits is not None or self.bias is not None:
            return to + self(x)
        self._look(x)
        return torch.addmm(to, x, self.weight.T)

    def watch(self, on: bool) -> None:
        """Inputs from now on are looked at, or no longer."""
        self.largest = self.weight.new_zeros((), dtype=torch.float32) if on else None

    def check(self) -> None:
        """ValueError where watching saw no input, zeros alone, or what is no number."""
        seen = 0.0 if self.largest is None else float(self.largest)
        if not 0.0 < seen < math.inf:
            raise ValueError(
                f'the largest input of a product of {tuple(self.weight.shape)} was {seen:g} in '
                'calibration; expected a number above 0: run whole cycles, with real pictures'
            )

    def narrow(self) -> None:
        """By the inputs that were seen; the weights in their own type are let go."""
        assert self.largest is not None
        self.eight_bits = EightBits.of(self.weight, self.bias, self.largest)
        self.largest, self.weight = None, self.weight.new_empty(0)
        for part in self._parts:
            part.data = self.weight

    def _look(self, x: Tensor) -> None:
        if self.largest is not None:
            torch.maximum(self.largest, x.abs().amax().float(), out=self.largest)


def joined(*linears: nn.Linear) -> Product:
    """The outputs of ``linears`` behind each other, in one product.

    Their parameters become views of it, so that the modules still work and no weight is kept
    twice.  To be called once a layer: a second product would be a copy.
    """
    biases = [linear.bias for linear in linears if linear.bias is not None]
    weights = [linear.weight for linear in linears]
    return Product(_shared(weights), _shared(biases) if biases else None, weights)


def _shared(parts: Sequence[Tensor]) -> Tensor:
    if len(parts) == 1:
        return parts[0].detach()
    whole = torch.cat([part.detach() for part in parts])
    for part, view in zip(parts, whole.split([len(part) for part in parts]), strict=True):
        part.data = view
    return whole
