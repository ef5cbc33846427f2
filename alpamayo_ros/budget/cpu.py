"""This machine's processor as a device: what one core reaches, measured in half a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from alpamayo_ros.budget.devices import Device

SIDE = 768  # of the square matrices; three of them fit a second-level cache of 8 MB
NUMBERS = 1 << 24  # 64 MB, more than the caches hold
REPEATS = 20
COMPUTE_SHARE = 0.6  # of SGEMM, over the products of nano (docs/budget.md)
KERNEL_US = 5.0  # a node of ONNX Runtime's sequential executor


def measure() -> Device:
    """SGEMM and reading memory in CPU time, so that other load and more threads do not count."""
    a, b = (np.full((SIDE, SIDE), value, np.float32) for value in (0.5, 0.25))
    numbers = np.ones(NUMBERS, np.float32)
    product_s = _best(lambda: a @ b)
    read_s = _best(lambda: numbers.max())
    return Device(
        'cpu',
        'one core of this machine, float32',
        {'fp32': 2.0 * SIDE**3 / product_s / 1e12},
        numbers.nbytes / read_s / 1e9,
        _memory_gb(),
        'measured when the command ran',
        COMPUTE_SHARE,
        1.0,
        KERNEL_US,
    )


def _best(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of some runs."""
    found = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return max(min(found), 1e-9)


def _memory_gb() -> float:
    import os

    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9
