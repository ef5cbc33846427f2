"""A product of eight-bit numbers (e4m3: Micikevicius et al. 2022, "FP8 Formats").

Weight and input have one static scale each, so that nothing is searched for in a cycle: the
largest weight becomes the largest number there is, and so does the largest input that calibration
saw, with a margin; what is beyond is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

E4M3 = torch.float8_e4m3fn
LARGEST = torch.finfo(E4M3).max  # 448
MARGIN = 1.25  # of an input, over what calibration saw
STEP = 16  # numbers of which both sides of a weight have to be a multiple (cuBLASLt)
OLDEST_GPU = (8, 9)  # compute capability: Ada; Hopper is 9.0


def refusal(device: torch.device) -> str | None:
    """Why a device has no such products; None where it has them."""
    if device.type != 'cuda':
        return None
    capability = torch.cuda.get_device_capability(device)
    if capability >= OLDEST_GPU:
        return None
    name = torch.cuda.get_device_name(device)
    wanted, found = ('{}.{}'.format(*pair) for pair in (OLDEST_GPU, capability))
    return (
        f'fp8 products want a GPU of compute capability {wanted} or newer '
        f'(Ada, Hopper, Blackwell); {name} has {found}'
    )


def fits(weight: Tensor) -> bool:
    """Whether the library takes a weight (outside, inside)."""
    return all(side % STEP == 0 for side in weight.shape)


def quantised(x: Tensor, inverse: Tensor) -> Tensor:
    """Rows ``x`` by the inverse of their scale, in eight bits; what is no number stays none."""
    return (x * inverse).clamp(-LARGEST, LARGEST).to(E4M3).contiguous()


@dataclass(frozen=True, slots=True)
class EightBits:
    """``weight`` (outside, inside) in e4m3; a scale is what its numbers are multiplied with.

    Scales are numbers on the device, float32, each in memory of its own: cuBLAS refuses one whose
    address is no multiple of 16 bytes.
    """

    weight: Tensor
    weight_scale: Tensor
    input_scale: Tensor
    inverse: Tensor
    bias: Tensor | None

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None, largest: Tensor) -> EightBits:
        """``largest``: of the numbers of the inputs, above 0."""
        scale = weight.abs().amax().float().clamp(min=torch.finfo(torch.float32).tiny) / LARGEST
        input_scale = MARGIN * largest / LARGEST
        eight_bits = quantised(weight.float(), 1.0 / scale)
        return cls(eight_bits, scale, input_scale, 1.0 / input_scale, bias)

    def __call__(self, x: Tensor) -> Tensor:
        """(..., inside) -> (..., outside), in the type of ``x``."""
        rows = quantised(x.reshape(-1, x.shape[-1]), self.inverse)
        wide = x.dtype == torch.float32  # cuBLASLt adds a bias in sixteen bits only
        y = torch._scaled_mm(
            rows,
            self.weight.T,
            scale_a=self.input_scale,
            scale_b=self.weight_scale,
            bias=None if wide else self.bias,
            out_dtype=x.dtype,
            use_fast_accum=True,
        )
        if wide and self.bias is not None:
            y = y + self.bias
        return y.view(*x.shape[:-1], -1)

    def dequantised(self) -> Tensor:
        """The weight in float32, as the product sees it."""
        return self.weight.float() * self.weight_scale
