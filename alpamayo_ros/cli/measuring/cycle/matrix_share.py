"""How much of what a plain matrix product reaches here encoder and denoiser reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from alpamayo_ros.cli.measuring.cycle.parts import Parts
from alpamayo_ros.cli.measuring.cycle.timing import take_turns
from alpamayo_ros.runtime.recorded import Recorded

SIDE = 768  # of the square product in single precision, one thread


@torch.no_grad()
def matrix_share(
    parts: Parts, recorded: Sequence[Recorded], each: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Share of the product's rate, by stage; and the rates in GFLOP/s."""
    runtime, torch_stages, stages = parts.fast(), parts.reference.stages, parts.stages()
    first = recorded[0]
    condition = runtime.reason(runtime.encode(first.frames), first.given).condition
    frame = first.frames.images[0], first.frames.valid[0]
    flops = {
        'encoder': _flops(lambda: torch_stages.encode(*frame)),
        'denoiser': _flops(lambda: torch_stages.denoise(condition, first.noise)),
        'product': 2.0 * SIDE**3,
    }
    left, right = torch.rand(2, SIDE, SIDE)
    product = torch.empty(SIDE, SIDE)

    def encode(one: Recorded) -> None:
        stages.encode(one.frames.images[0], one.frames.valid[0])

    def denoise(one: Recorded) -> None:
        stages.denoise(condition, one.noise)

    def multiply(one: Recorded) -> None:
        del one
        torch.mm(left, right, out=product)

    calls = {'encoder': encode, 'denoiser': denoise, 'product': multiply}
    for call in calls.values():
        call(first)
    spent = take_turns(recorded, calls, each)
    rate = {name: flops[name] / spent[name].median_ms / 1e6 for name in calls}
    shares = {name: rate[name] / rate['product'] for name in ('encoder', 'denoiser')}
    return {**shares, **{f'{name}_gflops': value for name, value in rate.items()}}


def _flops(call: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        call()
    return float(np.float64(counter.get_total_flops()))
