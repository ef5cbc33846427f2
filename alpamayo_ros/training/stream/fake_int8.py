"""Linear layers that compute as the exported INT8 does, and learn through it.

Symmetric, with the codes and for the matrices of ``model/int8_codes``: weights have a scale an
output channel, an input one for all of its rows, which is here the largest value of the batch and
there of the calibration.  The gradient passes the rounding as if it were not there (Bengio et al.
2013, straight-through; Jacob et al. 2018).  Names and numbers of weights stay, so that checkpoints
and export know nothing of it.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from alpamayo_ros.model.int8_codes import ACTIVATION, WEIGHT, becomes_int8
from alpamayo_ros.model.vla import VLA

LEAST_SCALE = 1e-8


def in_steps(x: Tensor, greatest: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    """``x`` in whole steps, and the steps: ``greatest`` is ``codes`` of them.

    The gradient is that of ``x`` / step.  In float32 whatever ``x`` is, for bfloat16 would choose
    other integers.
    """
    scale = (greatest.detach().float() / codes).clamp(min=LEAST_SCALE)
    exact = x.float() / scale
    return exact + (exact.round().clamp(-codes, codes) - exact).detach(), scale


class Int8Linear(nn.Linear):
    """A linear layer whose weights and inputs (B, N, in) are rounded to INT8 first.

    One row a sample (B, in), as conditions the denoiser, stays in float.  The integers themselves
    are multiplied, which bfloat16 holds exactly: a layer computes with the same ones under
    autocast and without it.  Steps multiply the sums, in float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() < 3:
            return super().forward(x)
        inputs, step = in_steps(x, x.abs().amax(), ACTIVATION)
        weights, of_channels = in_steps(self.weight, self.weight.abs().amax(1, True), WEIGHT)
        sums = F.linear(inputs, weights)
        found = sums * (step * of_channels[:, 0])
        return (found if self.bias is None else found + self.bias).to(sums.dtype)


def quantise_linear(module: nn.Module) -> int:
    """Make the linear layers inside compute so, in place; returns how many do."""
    found = [
        m
        for m in module.modules()
        if type(m) is nn.Linear and becomes_int8(m.in_features, m.out_features)
    ]
    for layer in found:
        layer.__class__ = Int8Linear
    return len(found)


def quantise_stages(model: VLA) -> None:
    """Make what export writes in INT8 compute so; fusion and conditions stay in float."""
    for stage in (model.views, model.cross, model.backbone, model.dit):
        quantise_linear(stage)
