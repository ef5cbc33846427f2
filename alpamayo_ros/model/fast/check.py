"""Whether recorded cycles give what the modules give, at the size of a test, on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.backbone import Layer
from alpamayo_ros.model.fast.cycle import Cycle, Passes
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn, planted
from alpamayo_ros.model.fast.plain import Plain
from alpamayo_ros.model.norm import RMSNorm
from alpamayo_ros.model.tiny import tiny
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile

WORDS, WIDTH, ACCEPTED, CYCLES = 12, 6, 4, 3
GAP_S = 0.2  # before the last cycle: one of the timesteps that it asks for was never kept
GAIN = 8.0  # of what a layer adds, and of queries and keys
PLANS_M = 1e-3  # of plans tens of metres long, in single precision


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of recorded cycles with the modules: words that differ or lack, distance of plans [m].

    ``words``: how many different ones there were.
    """

    unlike: int
    plans_m: float
    words: int

    @property
    def ok(self) -> bool:
        """Whether it is the same driver, in single precision."""
        return self.unlike == 0 and self.plans_m <= PLANS_M


@torch.no_grad()
def agreement(
    profile: ModelProfile, device: str, dtype: torch.dtype, varied: bool = True
) -> Agreement:
    """Cycles one after another behind full pages, the last behind a gap.

    Each is drafted by the words of the last, with a pass for every word; and by its own with every
    fourth word wrong, with as few passes as that allows.  ``varied``: every word depends on all
    before it so much that only single precision gives the same ones.
    """
    model = drawn(tiny(profile), device, dtype)
    if varied:
        vary(model)
    ways = [Passes(WIDTH, WORDS), Passes(WIDTH, WORDS // ACCEPTED)]
    cycle = Cycle(model, WORDS, ways)
    drive = MadeUpDrive(cycle)
    drive.fill()
    unlike, apart, words = 0, list[Tensor](), set[int]()
    draft = cycle.host.draft
    with single_precision():
        for i in range(CYCLES):
            if i == CYCLES - 1:
                drive.wait(GAP_S)
            there = drive.next().to(device)
            drafted_by_the_last = cycle.run(0)
            modules = Plain(model, cycle.given, WORDS)
            told = modules(there.images, there.cameras, cycle.given)
            draft.copy_(planted(told.ids.cpu(), ACCEPTED, len(draft), model.profile))
            for found in (drafted_by_the_last, cycle.run(1)):
                unlike += int((found.ids != told.ids.cpu()).sum()) + WORDS - found.count
                apart.append((found.plans - told.plans.cpu()).abs().max())
            draft[:WORDS].copy_(told.ids)
            words |= set(told.ids.tolist())
    plans_m = float(torch.stack(apart).max())  # NaN stays, and is not ok
    return Agreement(unlike, plans_m, len(words))


def vary(model: VLA) -> None:
    """What a word attends to outweighs the word itself: a text of many words.

    Random weights would otherwise say the word that they have read.
    """
    for layer in model.backbone.layers:
        assert isinstance(layer, Layer)
        for part in (layer.out, layer.mlp.down, layer.q, layer.k):
            part.weight.data.mul_(GAIN)
        for norm in (layer.q_norm, layer.k_norm):
            if isinstance(norm, RMSNorm):
                norm.weight.data.mul_(GAIN**0.5)


@contextmanager
def single_precision() -> Iterator[None]:
    """Convolutions of float32 in float32: a GPU rounds their inputs to ten bits otherwise."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
