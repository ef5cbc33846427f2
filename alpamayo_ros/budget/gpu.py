"""This machine's GPU as a device: what products and memory reach on it, measured in a second."""

from __future__ import annotations

import torch

from alpamayo_ros.budget.devices import Device
from alpamayo_ros.model.released.median_time import median_ms

SIDE = 8192  # of the square matrices: far more work than a launch costs
NUMBERS = 1 << 30  # bfloat16: 2 GB, more than any cache holds
ROUNDS = 10


@torch.no_grad()
def measure() -> Device:
    """Dense bfloat16 products of cuBLAS, and copying memory within the device."""
    device = torch.device('cuda')
    a, b = (torch.randn(SIDE, SIDE, device=device, dtype=torch.bfloat16) for _ in range(2))
    product_s = median_ms(lambda: a @ b, ROUNDS, device) / 1e3
    source = torch.zeros(NUMBERS, device=device, dtype=torch.bfloat16)
    copied = torch.empty_like(source)
    copy_s = median_ms(lambda: copied.copy_(source), ROUNDS, device) / 1e3
    return Device(
        'gpu',
        torch.cuda.get_device_name(),
        {'bf16': 2.0 * SIDE**3 / product_s / 1e12},
        2 * source.nbytes / copy_s / 1e9,
        torch.cuda.get_device_properties(device).total_memory / 1e9,
        'measured when the command ran',
    )
