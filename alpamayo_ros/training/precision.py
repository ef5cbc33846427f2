"""In which numbers training computes: bfloat16 where a device multiplies it, else float32.

A processor that has to imitate bfloat16 is slower with it than without: per thread, nano's views
of a timestep take 136 ms instead of 17 on a processor with AVX2 alone (AMD EPYC, torch 2.13).
"""

from __future__ import annotations

from functools import lru_cache

import torch

NATIVE = ('avx512_bf16', 'amx_bf16', 'bf16')  # as x86 and ARM call it


@lru_cache(maxsize=1)
def processor_multiplies_bfloat16() -> bool:
    """Whether this machine's processor has instructions for it."""
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in NATIVE)


def mixed(device: torch.device) -> torch.autocast:
    """The context in which losses, features and plans are computed on ``device``."""
    native = device.type != 'cpu' or processor_multiplies_bfloat16()
    return torch.autocast(device.type, torch.bfloat16, enabled=native)
