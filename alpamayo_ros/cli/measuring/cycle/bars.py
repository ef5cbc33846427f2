"""What the figures of ``alpamayo bench`` are held to (docs/speed.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MORE, LESS = 'at least', 'at most'

OTHER_PLANS = frozenset({'second_order_solver'})  # left out, plans are other ones by design


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure, what it must be, and whether it is."""

    name: str
    value: float
    side: str
    bar: float
    meaning: str

    @property
    def ok(self) -> bool:
        """Whether the bar is kept."""
        return self.value >= self.bar if self.side == MORE else self.value <= self.bar


def bars(found: dict[str, Any]) -> Iterator[Bar]:
    """Every bar in the order of the data path."""
    share = found['gemm_share']
    yield Bar('cycle_cpu_ms', found['cycle_cpu_ms'], LESS, 60.0, 'CPU ms of a whole cycle')
    yield Bar('cycle_vs_naive', found['cycle_vs_naive'], MORE, 2.4, 'times faster than naive')
    yield Bar(
        'passes_per_cycle', found['passes_per_cycle'], LESS, 8.0, 'backbone passes in the drive'
    )
    yield Bar(
        'decode_vs_transformers',
        found['decode_vs_transformers'],
        MORE,
        5.0,
        "times faster than transformers' generate",
    )
    yield Bar(
        'ddim_vs_diffusers',
        found['ddim_vs_diffusers'],
        MORE,
        2.0,
        "times faster than diffusers' loop",
    )
    for stage in ('encoder', 'denoiser'):
        name = f'gemm_share.{stage}'
        yield Bar(name, share[stage], MORE, 0.5, 'of the rate of a plain matrix product')
    yield Bar('sync_us_per_set', found['sync_us_per_set'], LESS, 300.0, 'CPU us a set of pictures')
    yield Bar(
        'postprocess_cpu_ms',
        found['postprocess_cpu_ms'],
        LESS,
        5.0,
        'CPU ms from candidates to the plan',
    )


def same(found: dict[str, Any]) -> list[str]:
    """Where the faster way gave other numbers than the slower; none is right."""
    decode, ablation = found['decode'], found['ablation']
    wrong = [n for n, one in ablation.items() if not one['same_output'] and n not in OTHER_PLANS]
    wrong += [] if found['naive_same_output'] else ['naive']
    if decode['same_tokens'] != decode['cycles']:
        wrong.append(f'transformers: {decode["cycles"] - decode["same_tokens"]} other texts')
    if found['ddim']['waypoints_apart'] > 1e-4:
        wrong.append(f'diffusers: {found["ddim"]["waypoints_apart"]:.1e} apart')
    return wrong
