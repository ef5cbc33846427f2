"""Devices by their makers' figures: dense tensor-core rates, memory bandwidth, memory.

Sparse rates, which vendors print larger, are twice the dense ones and buy nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass

# What carefully written kernels reach, measured on an H100 over the family's real sizes
# (docs/budget.md, "What the figures rest on").
COMPUTE_SHARE = 0.55
BANDWIDTH_SHARE = 0.8
KERNEL_US = 3.0  # from the start of one kernel to the next inside a captured graph


@dataclass(frozen=True, slots=True)
class Device:
    """One device; ``rates`` in 1e12 operations a second by precision, as far as it has them.

    ``source``: where the figures come from.  The shares say how much of rate and bandwidth a
    good implementation reaches, ``kernel_us`` what each call costs besides.
    """

    name: str
    title: str
    rates: dict[str, float]
    bandwidth_gbps: float
    memory_gb: float
    source: str
    compute_share: float = COMPUTE_SHARE
    bandwidth_share: float = BANDWIDTH_SHARE
    kernel_us: float = KERNEL_US

    def rate(self, precision: str) -> float | None:
        """Operations a second in ``precision``; None where the device has no such units."""
        found = self.rates.get(precision)
        return None if found is None else found * 1e12


DEVICES = (
    Device(
        'a100',
        'A100 SXM 80 GB',
        {'bf16': 312.0, 'int8': 624.0},
        2039.0,
        80.0,
        'NVIDIA A100 Tensor Core GPU datasheet (2021)',
    ),
    Device(
        'h100',
        'H100 SXM 80 GB',
        {'bf16': 989.4, 'fp8': 1978.9, 'int8': 1978.9},
        3350.0,
        80.0,
        'NVIDIA H100 Tensor Core GPU architecture whitepaper (2022) and datasheet',
    ),
    Device(
        'rtx-pro-6000',
        'RTX PRO 6000 Blackwell',
        {'bf16': 503.8, 'fp8': 1007.6, 'int8': 1007.6},
        1792.0,
        96.0,
        'NVIDIA RTX Blackwell PRO GPU architecture whitepaper (2025)',
    ),
    Device(
        'thor',
        'Jetson AGX Thor (T5000)',
        {'bf16': 258.5, 'fp8': 517.0, 'int8': 517.0},
        273.0,
        128.0,
        'NVIDIA Jetson Thor series datasheet (2025); bf16 is half of its dense FP8',
    ),
    Device(
        'orin',
        'Jetson AGX Orin 64 GB',
        {'bf16': 42.5, 'int8': 85.0},
        204.8,
        64.0,
        'NVIDIA Jetson AGX Orin series technical brief v1.2 (2022); the GPU alone, no DLA',
    ),
)
