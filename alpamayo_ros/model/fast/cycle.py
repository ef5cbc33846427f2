"""A whole cycle over static buffers: each stage, and all of them, as CUDA graphs.

Nothing here is decided by the host once a cycle has begun: which page, which positions, how many
words a pass keeps are numbers on the device.  The host uploads what is given, starts one graph,
and waits once, for plans and words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.fast.joined import Product
from alpamayo_ros.model.fast.language import Language
from alpamayo_ros.model.fast.pages import pages
from alpamayo_ros.model.fast.places import Places
from alpamayo_ros.model.fast.plans import Plans
from alpamayo_ros.model.fast.ruled_words import RuledWords
from alpamayo_ros.model.fast.rules import Rules
from alpamayo_ros.model.fast.scene import Scene
from alpamayo_ros.model.fast.words import Words
from alpamayo_ros.model.released.graphs import Outputs, Recorded
from alpamayo_ros.model.vla import VLA

PERIOD_S = 0.1  # of a cycle


@dataclass(frozen=True, slots=True)
class Passes:
    """How words are written: ``count`` passes of ``width`` words."""

    width: int
    count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates (K, P, 3) in metres, words, and how many of these the passes came to."""

    plans: Tensor
    ids: Tensor
    count: int


class Cycle:
    """``model`` with its buffers; one a model, whose products become views of joined ones.

    ``given`` lies on the device and ``host`` beside it, pinned where there is a GPU.
    """

    words: Words

    def __init__(
        self,
        model: VLA,
        words: int,
        ways: Sequence[Passes],
        graphs: bool = True,
        rules: Rules | None = None,
        spare: int = 0,
    ) -> None:
        """``words`` at most; ``ways`` of writing them, each a graph of its own.

        ``rules`` that they follow; ``spare`` pages beside those of cycles ``PERIOD_S`` apart.
        """
        p, device = model.profile, model.device
        gpu, states = device.type == 'cuda', rules.states if rules else 0
        self.model, self.limit = model.eval().requires_grad_(False), words
        self.given = Given.empty(p, device, states=states)
        where = 'meta' if device.type == 'meta' else 'cpu'
        self.host = Given.empty(p, where, pinned=gpu, states=states)
        self.places = Places(model, words, max(way.width for way in ways))
        self.language = Language(model.backbone, self.places.slots)
        self.pages = pages(p.frames, PERIOD_S) + spare
        self.scene = Scene(model, self.language, self.places, self.pages)
        parts = self.language, self.places, self.scene, words
        self.words = RuledWords(*parts, rules) if rules else Words(*parts)
        self._plans = Plans(model, self.places)
        self.plans = torch.zeros_like(self.given.noise)
        self._before = self.scene.hidden.new_zeros(1, p.backbone.width)
        self._answer = [
            torch.zeros_like(x, device=self.host.noise.device, pin_memory=gpu)
            for x in self._made()
        ]
        self._recorded = graphs and gpu
        self._graphs: list[Recorded] = []
        self._read_text = self.graph(lambda: self.scene.read_text(self.given))
        self.encode = self.graph(lambda: self.scene.encode(self.given))
        self.prefill = self.graph(self._prefill)
        self.begin = self.graph(self.first_word)
        self.token = self.graph(lambda: self.words.step(self.given, 1))
        self.drafted = [
            self.graph(partial(self.words.step, self.given, way.width)) for way in ways
        ]
        self.denoise = self.graph(self._denoise)
        self.whole = [self.graph(partial(self._cycle, way)) for way in ways]

    @torch.no_grad()
    def read_text(self) -> None:
        """The text before the pictures, of ``host``; again only when it changes."""
        self.given.copy_(self.host)
        self._read_text()
        self.wait()

    @torch.no_grad()
    def run(self, way: int = 0) -> Answer:
        """What ``host`` asks for, by the text that was read last.

        ValueError where positions have counted beyond what the backbone can tell apart.
        """
        last = self.places.last_position + int(self.host.shift)
        if last >= self.language.positions:
            raise ValueError(
                f'position {last} is beyond the {self.language.positions} of backbone.context; '
                'start anew: new Pages, then read_text'
            )
        self.given.copy_(self.host)
        self.whole[way]()
        for kept, made in zip(self._answer, self._made(), strict=True):
            kept.copy_(made, non_blocking=True)
        self.wait()
        plans, ids, count = self._answer
        return Answer(plans.clone(), ids[: self.limit].clone(), int(count))

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.plans.is_cuda:
            torch.cuda.current_stream().synchronize()

    def _made(self) -> Outputs:
        return self.plans, self.words.ids, self.words.count

    @property
    def products(self) -> list[Product]:
        """The large ones of all stages."""
        return [*self.scene.products, *self.language.products, *self._plans.products]

    def forget(self) -> None:
        """Record every graph anew: products have changed."""
        for graph in self._graphs:
            graph.forget()

    def graph(self, stage: Callable[[], None]) -> Recorded:
        """A stage over the buffers, recorded at its first call where there is a GPU."""

        def run() -> Outputs:
            stage()
            return ()

        self._graphs.append(Recorded(run, self._recorded))
        return self._graphs[-1]

    def _prefill(self) -> None:
        self._before.copy_(self.scene.prefill(self.given))

    def first_word(self) -> None:
        """As ``begin``, for a graph that goes on."""
        self.words.begin(self.given, self._before)

    def _denoise(self) -> None:
        self.plans.copy_(self._plans(self.given, self.scene, self.words))

    def _cycle(self, way: Passes) -> None:
        self.scene.encode(self.given)
        self._prefill()
        self.words.begin(self.given, self._before)
        for _ in range(way.count):
            self.words.step(self.given, way.width)
        self._denoise()
