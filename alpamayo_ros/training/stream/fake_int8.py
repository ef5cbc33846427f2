"""Linear layers that compute as INT8 arithmetic would, and learn through it.

Symmetric: weights have a scale an output channel, activations one a token; both are rounded to
-127..127 and multiplied exactly.  The gradient passes the rounding as if it were not there
(Bengio et al. 2013, straight-through; Jacob et al. 2018).  Names and numbers of weights stay, so
that checkpoints and export know nothing of it.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

MOST = 127.0
LEAST_SCALE = 1e-8


def scale_of(x: Tensor) -> Tensor:
    """(..., 1) the step of INT8 for the rows of ``x``: the largest value is 127 steps."""
    return (x.detach().abs().amax(-1, keepdim=True) / MOST).clamp(min=LEAST_SCALE)


def rounded(x: Tensor) -> Tensor:
    """``x`` on the grid of its rows; the gradient is that of ``x``."""
    scale = scale_of(x)
    grid = (x / scale).round().clamp(-MOST, MOST) * scale
    return x + (grid - x).detach()


class Int8Linear(nn.Linear):
    """A linear layer whose weights and inputs are rounded to INT8 first."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(rounded(x), rounded(self.weight), self.bias)


def quantise_linear(module: nn.Module) -> int:
    """Make every linear layer inside compute so, in place; returns how many there are."""
    found = [m for m in module.modules() if type(m) is nn.Linear]
    for layer in found:
        layer.__class__ = Int8Linear
    return len(found)
