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


def in_steps(x: Tensor) -> tuple[Tensor, Tensor]:
    """``x`` in whole steps of its rows, and the steps; the gradient is that of ``x`` / step.

    In float32 whatever ``x`` is, for bfloat16 would choose other integers.
    """
    x = x.float()
    scale = scale_of(x)
    exact = x / scale
    return exact + (exact.round().clamp(-MOST, MOST) - exact).detach(), scale


class Int8Linear(nn.Linear):
    """A linear layer whose weights and inputs are rounded to INT8 first.

    The integers themselves are multiplied, which bfloat16 holds exactly: a layer computes with the
    same ones under autocast and without it.  Steps multiply the sums, in float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        inputs, of_rows = in_steps(x)
        weights, of_channels = in_steps(self.weight)
        sums = F.linear(inputs, weights)
        found = sums * of_rows * of_channels[:, 0]
        return (found if self.bias is None else found + self.bias).to(sums.dtype)


def quantise_linear(module: nn.Module) -> int:
    """Make every linear layer inside compute so, in place; returns how many there are."""
    found = [m for m in module.modules() if type(m) is nn.Linear]
    for layer in found:
        layer.__class__ = Int8Linear
    return len(found)
