"""How far a cycle in fp8 is from the same in single precision, at the size of a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model.fast.check import WIDTH, WORDS, single_precision
from alpamayo_ros.model.fast.cycle import Answer, Cycle, Passes
from alpamayo_ros.model.fast.eight_bits import LARGEST, EightBits, quantised
from alpamayo_ros.model.fast.fp8 import calibrated
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn
from alpamayo_ros.model.narrow import narrow
from alpamayo_ros.model.tiny import tiny
from alpamayo_ros.profile import ModelProfile

# Bars, at most, as shares of what is compared.  Quantising both inputs of a product of random
# numbers costs 0.04; on a CPU cycles are 0.03 to 0.05, 0.06 to 0.10 and 0.02 to 0.06 away, in
# float32 and bfloat16 alike.
PRODUCT, FEATURES, STATES, PLANS = 0.02, 0.1, 0.2, 0.2
STEPS = 2  # of denoising: random weights make four times more of it in ten (0.23)
ROWS = (1, 16, 100)  # of inputs for one product: a word, a pass, any other


@dataclass(frozen=True, slots=True)
class Distance:
    """Of a cycle in fp8, each as a share of the length of what it is compared with.

    ``product``: the worst product of the device, from that of the same numbers in single
    precision; from the cycle in single precision: ``features`` of the pictures, ``states`` of
    everything before the words, ``plans``.  ``unlike``: words that differ, without a bar: random
    weights nearly tie.
    """

    product: float
    features: float
    states: float
    plans: float
    unlike: int

    @property
    def ok(self) -> bool:
        """Whether it is what eight bits explain; NaN is not."""
        found = self.product, self.features, self.states, self.plans
        bars = PRODUCT, FEATURES, STATES, PLANS
        return all(value <= bar for value, bar in zip(found, bars, strict=True))


@torch.no_grad()
def distance(profile: ModelProfile, device: str, dtype: torch.dtype) -> Distance:
    """Of the tiny member of ``profile`` with weights in ``dtype``, behind full pages."""
    with single_precision():
        exact, wanted = _run(_made(profile, device, torch.float32))
    cycle = _made(profile, device, dtype)
    with calibrated(cycle):
        MadeUpDrive(cycle).fill()
    _, found = _run(cycle)
    before = slice(0, cycle.places.coc)
    seen = exact.scene.pad[before] == 0
    states = (each.scene.hidden[before][seen] for each in (cycle, exact))
    features = (each.scene.visual for each in (cycle, exact))
    spread = wanted.plans - wanted.plans.mean(0)
    return Distance(
        max(_of_products(cycle)),
        _share(*features),
        _share(*states),
        float((found.plans - wanted.plans).norm() / spread.norm()),
        int((found.ids != wanted.ids).sum()),
    )


def _made(profile: ModelProfile, device: str, dtype: torch.dtype) -> Cycle:
    """The same numbers in every type."""
    model = narrow(drawn(tiny(profile, STEPS), device, torch.float32), dtype)
    return Cycle(model, WORDS, [Passes(WIDTH, WORDS)])


def _run(cycle: Cycle) -> tuple[Cycle, Answer]:
    drive = MadeUpDrive(cycle)
    drive.fill()
    drive.next()
    return cycle, cycle.run()


def _of_products(cycle: Cycle) -> Iterator[float]:
    """Of every narrowed product, of some numbers of rows."""
    for product in cycle.products:
        if product.eight_bits is not None:
            for rows in ROWS:
                yield _of_product(product.eight_bits, rows, cycle.scene.hidden.dtype)


def _of_product(product: EightBits, rows: int, dtype: torch.dtype) -> float:
    like = product.weight
    x = torch.randn(rows, like.shape[1], device=like.device, dtype=dtype)
    x *= product.input_scale * (LARGEST / 4)  # few are cut off
    exact = quantised(x, product.inverse).float() * product.input_scale
    bias = None if product.bias is None else product.bias.float()
    return _share(product(x), F.linear(exact, product.dequantised(), bias))


def _share(found: Tensor, wanted: Tensor) -> float:
    return float((found.float() - wanted.float()).norm() / wanted.float().norm())
