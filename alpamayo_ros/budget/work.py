"""Work of one kind of operation: floating-point operations, weights, activations, kernels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """What an operation computes and moves, in operations and numbers (not bytes).

    ``product_flops``: products of activations with ``weights``; ``attention_flops``: products of
    activations with each other.  ``kernels``: calls that wait for each other.
    """

    product_flops: float = 0.0
    attention_flops: float = 0.0
    weights: float = 0.0
    activations: float = 0.0
    kernels: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the cycle as the work of its operations, one after another."""

    name: str
    parts: tuple[Work, ...]

    @property
    def flops(self) -> float:
        """Floating-point operations, a multiplication and an addition counted as two."""
        return sum(part.product_flops + part.attention_flops for part in self.parts)

    @property
    def weights(self) -> float:
        """Numbers of weights read, as often as they are read."""
        return sum(part.weights for part in self.parts)

    @property
    def activations(self) -> float:
        """Numbers read and written besides weights."""
        return sum(part.activations for part in self.parts)


def linear(rows: int, inside: int, outside: int) -> Work:
    """``rows`` vectors through one matrix."""
    return Work(
        product_flops=2.0 * rows * inside * outside,
        weights=inside * outside,
        activations=rows * (inside + outside),
        kernels=1,
    )


def attention(queries: int, keys: int, width: int, key_width: int, batch: int = 1) -> Work:
    """Scores and sums over all heads; ``width`` is that of all query heads, of all key heads."""
    numbers = batch * (2 * queries * width + 2 * keys * key_width)
    flops = 4.0 * batch * queries * keys * width
    return Work(attention_flops=flops, activations=numbers, kernels=1)


def rowwise(rows: int, width: int) -> Work:
    """A norm, an activation, a sum: one pass over ``rows`` vectors, read and written."""
    return Work(activations=2 * rows * width, kernels=1)


def conv(positions: int, inside: int, outside: int, taps: int, stride: int = 1) -> Work:
    """A convolution of ``taps`` numbers a channel, at so many output ``positions``."""
    return Work(
        product_flops=2.0 * positions * inside * outside * taps,
        weights=inside * outside * taps,
        activations=positions * (inside * stride + outside),
        kernels=1,
    )
