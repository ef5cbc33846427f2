"""This machine's GPU as a device: what products and memory reach on it, measured in a second."""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.budget.devices import Device
from alpamayo_ros.model.released.median_time import median_ms

SIDE = 8192  # of the square matrices: far more work than a launch costs
NUMBERS = 1 << 30  # bfloat16: 2 GB, more than any cache holds
ROUNDS = 10


@torch.no_grad()
def measure(fp8: bool = False) -> Device:
    """Dense bfloat16 products of cuBLAS (and of e4m3 numbers), and copying within the device."""
    device = torch.device('cuda')
    a, b = (torch.randn(SIDE, SIDE, device=device, dtype=torch.bfloat16) for _ in range(2))
    product_s = median_ms(lambda: a @ b, ROUNDS, device) / 1e3
    rates = {'bf16': 2.0 * SIDE**3 / product_s / 1e12}
    if fp8:
        first, second = (x.to(torch.float8_e4m3fn) for x in (a, b))
        scale = torch.ones((), device=device)
        narrow_s = median_ms(lambda: _eight_bits(first, second, scale), ROUNDS, device) / 1e3
        rates['fp8'] = 2.0 * SIDE**3 / narrow_s / 1e12
    source = torch.zeros(NUMBERS, device=device, dtype=torch.bfloat16)
    copied = torch.empty_like(source)
    copy_s = median_ms(lambda: copied.copy_(source), ROUNDS, device) / 1e3
    return Device(
        'gpu',
        torch.cuda.get_device_name(),
        rates,
        2 * source.nbytes / copy_s / 1e9,
        torch.cuda.get_device_properties(device).total_memory / 1e9,
        'measured when the command ran',
    )


def _eight_bits(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    return torch._scaled_mm(
        a, b.T, scale_a=scale, scale_b=scale, out_dtype=torch.bfloat16, use_fast_accum=True
    )
