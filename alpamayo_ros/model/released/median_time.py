"""The median time of a call, with what it leaves to the device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

WARM_UP = 3  # calls that do not count


def median_ms(
    run: Callable[[], object],
    rounds: int,
    device: torch.device,
    between: Callable[[], object] = lambda: None,
) -> float:
    """Median [ms] of ``rounds`` calls, the device's work included, ``between`` them not."""
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    spent = []
    for i in range(WARM_UP + rounds):
        wait()
        start = time.perf_counter()
        run()
        wait()
        if i >= WARM_UP:
            spent.append(time.perf_counter() - start)
        between()
    return 1e3 * statistics.median(spent)
