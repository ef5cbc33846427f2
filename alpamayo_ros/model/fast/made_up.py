"""A model of random weights on a device, and a made-up drive for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from alpamayo_ros.model.fast.cycle import PERIOD_S, Cycle
from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.fast.pages import Pages
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.units import NS

SPEED_MPS = 8.0
SPREAD = 0.02  # of weights that training would start from zero
LINES_M = 20.0


@contextmanager
def numbers_of(dtype: torch.dtype) -> Iterator[None]:
    """New tensors are of ``dtype``, where nothing else is asked for."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@torch.no_grad()
def drawn(profile: ModelProfile, device: str, dtype: torch.dtype, seed: int = 0) -> VLA:
    """Random weights, also where training starts from zero; made where they stay."""
    torch.manual_seed(seed)
    with numbers_of(dtype), torch.device(device):
        model = VLA(profile)
    for parameter in model.parameters():
        if not parameter.any():
            parameter.normal_(std=SPREAD)
    return model


def planted(greedy: Tensor, accepted: int, length: int, profile: ModelProfile) -> Tensor:
    """A draft of which a pass accepts so many words: one in ``accepted`` is wrong."""
    draft = torch.zeros(length, dtype=torch.long)
    draft[: len(greedy)] = greedy
    wrong = slice(accepted, len(greedy), accepted)
    draft[wrong] = (draft[wrong] + 1) % profile.text.vocab_size
    return draft


@dataclass(frozen=True, slots=True)
class Seen:
    """What a cycle looks at, newest first: images (T, V, H, W, 3), cameras (T, V).

    Zeros where a timestep is absent.
    """

    images: Tensor
    cameras: Tensor

    def to(self, device: torch.device | str) -> Seen:
        """The same there."""
        return Seen(self.images.to(device), self.cameras.to(device))


class MadeUpDrive:
    """Cycles ``PERIOD_S`` apart; ``next`` writes what one reads into ``cycle.host``."""

    def __init__(self, cycle: Cycle, seed: int = 0) -> None:
        self._cycle, self._pages = cycle, Pages(cycle.model.profile.frames, PERIOD_S)
        self._random = torch.Generator().manual_seed(seed)
        self._shown: dict[int, tuple[Tensor, Tensor]] = {}
        self._now_ns = 0
        host, vocabulary = cycle.host, cycle.model.profile.text.vocab_size
        for ids in (host.prefix, host.prior):
            ids.copy_(torch.randint(0, vocabulary, ids.shape, generator=self._random))
        for numbers in (host.history, host.lines, host.noise):
            numbers.copy_(torch.randn(numbers.shape, generator=self._random))
        host.lines.mul_(LINES_M)
        for field in fields(Given):
            if field.name.endswith('_valid') or field.name == 'cameras':
                getattr(host, field.name).fill_(1.0)
        host.last.fill_(len(host.prior))
        host.speed_mps.fill_(SPEED_MPS)

    def next(self) -> Seen:
        """New pictures; the pages of this cycle."""
        host, choice = self._cycle.host, self._pages.take(self._now_ns)
        host.images.copy_(self._picture(host.images.shape))
        host.look(choice)
        spacing_s = self._cycle.model.profile.frames.spacing_s
        ages = torch.tensor([
            age * spacing_s if t is None else (self._now_ns - t) / NS
            for age, t in enumerate(choice.stamps_ns)
        ])  # fmt: skip
        host.age_s.copy_(ages[:, None].expand_as(host.age_s))
        self._shown[self._now_ns] = host.images.clone(), host.cameras.clone()
        self._shown = dict(list(self._shown.items())[-self._pages.count :])
        self._now_ns += round(PERIOD_S * NS)
        nothing = torch.zeros_like(host.images), torch.zeros_like(host.cameras)
        seen = [nothing if t is None else self._shown[t] for t in choice.stamps_ns]
        return Seen(*(torch.stack(each) for each in zip(*seen, strict=True)))

    def wait(self, seconds: float) -> None:
        """No cycles for so long."""
        self._now_ns += round(seconds * NS)

    def fill(self) -> Seen:
        """The text, then cycles until every page holds a timestep; what the last one saw."""
        self._cycle.read_text()
        for _ in range(self._pages.count):
            seen = self.next()
            self._cycle.run()
        return seen

    def _picture(self, shape: torch.Size) -> Tensor:
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=self._random)
