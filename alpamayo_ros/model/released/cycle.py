"""One cycle of Alpamayo 1.5: new pictures, prompt, words, actions of all candidates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.released.graphs import Outputs, Recorded
from alpamayo_ros.model.released.mrope import positions, tables
from alpamayo_ros.model.released.network import Network
from alpamayo_ros.model.released.stack import Cache, Place, hide
from alpamayo_ros.model.released.tower import patches
from alpamayo_ros.model.released.vocabulary import BINS, END, PICTURE
from alpamayo_ros.model.released.words import GUESSES, Step, Words, greedy

PAD = 32  # prompts are filled up to multiples, so that few lengths are recorded
ROOM = 8  # slots are a multiple: masks are read in vectors of so many
Field = Callable[[Tensor, Tensor], Tensor]  # velocity of actions (K P, 2) at flow time (1)


@dataclass(frozen=True, slots=True)
class Reasoned:
    """What the expert continues: words, and where its points stand.

    ``prompt``: tokens before the words.  ``shift``: from the slot of a word to its position.
    """

    words: Words
    prompt: int
    shift: int


class Cycle:
    """Networks with their cache and graphs; a prompt has at most ``prompt_tokens``.

    ``graphs``: CUDA graphs, where the weights lie on a GPU.
    """

    def __init__(
        self, network: Network, candidates: int, prompt_tokens: int, graphs: bool = True
    ) -> None:
        weight = network.language.head.weight
        self.network, self.sizes, self.device = network, network.sizes, weight.device
        self.dtype, self.candidates = weight.dtype, candidates
        self._text_slots = _up(prompt_tokens + self.sizes.budget + GUESSES + 1, PAD)
        slots = _up(self._text_slots + candidates * self.sizes.points, ROOM)
        self.cache = Cache.empty(self.sizes.language, slots, weight.detach())
        self._kept: dict[Hashable, Outputs] = {}
        recorded = graphs and self.device.type == 'cuda'
        self.tower = Recorded(network.tower, recorded)
        self.prefill = Recorded(self._prefill, recorded)
        self.step = Recorded(self._step, recorded)
        self.velocity = Recorded(self._velocity, recorded)

    @torch.no_grad()
    def encode(self, pictures: Tensor, names: Sequence[Hashable]) -> Outputs:
        """Tokens of pictures (N, H, W, 3) uint8 behind each other, then those of inner blocks.

        Pictures whose ``names`` the last call had are not encoded again.
        """
        first = {name: i for i, name in reversed(list(enumerate(names)))}
        new = sorted(i for name, i in first.items() if name not in self._kept)
        if new:
            found = self.tower(patches(pictures[new].to(self.device)))
            for row, i in enumerate(new):
                self._kept[names[i]] = tuple(each[row].clone() for each in found)
        self._kept = {name: self._kept[name] for name in first}
        shown = (self._kept[name] for name in names)
        return tuple(torch.cat(each) for each in zip(*shown, strict=True))

    def forget(self) -> None:
        """All pictures."""
        self._kept = {}

    @torch.no_grad()
    def reason(self, ids: Tensor, pictures: Outputs, draft: Sequence[int] = ()) -> Reasoned:
        """Words behind the prompt ``ids`` (N), in which bins of past motion already stand."""
        first, step, shift = self._read(ids, pictures)
        return Reasoned(greedy(first, step, draft, self.sizes.budget), len(ids), shift)

    @torch.no_grad()
    def repeat(self, ids: Tensor, pictures: Outputs, told: Words) -> Reasoned:
        """The words ``told`` behind another prompt, all of them in the cache."""
        _, step, shift = self._read(ids, pictures)
        words, width = list(told.tokens), GUESSES + 1
        for start in range(0, len(words), width):
            step(words[start : start + width], start)
        passes = -(-len(words) // width)
        return Reasoned(Words(told.tokens, len(words), passes), len(ids), shift)

    def _read(self, ids: Tensor, pictures: Outputs) -> tuple[int, Step, int]:
        """The prompt into the cache: first word, the step behind it, the shift of positions."""
        n, room = len(ids), self._text_slots - self.sizes.budget - GUESSES - 1
        if n > room:
            raise ValueError(f'the prompt has {n} tokens, the cache has room for {room}')
        size = self.sizes.tower
        where = positions(ids, size.rows, size.columns)
        shift = int(where.max()) + 1 - n
        padded = torch.full((_up(n, PAD),), END[0])
        padded[:n] = ids
        spots = torch.zeros(3, len(padded), dtype=torch.long)
        spots[:, :n] = where
        at = (padded == PICTURE).nonzero().flatten()
        if len(at) != len(pictures[0]):
            raise ValueError(
                f'the prompt has {len(at)} tokens of pictures, '
                f'the pictures have {len(pictures[0])}'
            )
        given = (padded, spots, torch.tensor([n - 1]), at)
        (first,) = self.prefill(*(each.to(self.device) for each in given), *pictures)

        def step(words: list[int], start: int) -> list[int]:
            width = 1 if len(words) == 1 else GUESSES + 1
            fed = torch.tensor(words + [END[0]] * (width - len(words)))
            slots = torch.arange(width) + n + start
            (chosen,) = self.step(*(x.to(self.device) for x in (fed, slots, slots + shift)))
            return list(map(int, chosen[: len(words)].tolist()))

        return int(first), step, shift

    @torch.no_grad()
    def denoise(self, reasoned: Reasoned, noise: Tensor, field: Field | None = None) -> Tensor:
        """Normed actions (K, points, 2) of ``noise`` of that shape, all under the same words.

        ``field``: instead of that behind the words, such as a guided one.
        """
        expected = (self.candidates, self.sizes.points, 2)
        if tuple(noise.shape) != expected:
            raise ValueError(f'noise has the shape {tuple(noise.shape)}, expected {expected}')
        field = field if field is not None else self.field(reasoned)
        x = noise.to(self.device, torch.float32).reshape(-1, 2)
        times = torch.linspace(0.0, 1.0, self.sizes.steps + 1, device=self.device)
        for i in range(self.sizes.steps):
            x = x + (times[i + 1] - times[i]) * field(x, times[i : i + 1])
        return x.reshape(expected)

    def field(self, reasoned: Reasoned) -> Field:
        """The flow behind the words of ``reasoned``."""
        first = reasoned.prompt + len(reasoned.words.tokens) + reasoned.shift
        seen = torch.tensor([reasoned.prompt + reasoned.words.visible], device=self.device)
        start = torch.tensor([first], device=self.device)

        def velocity(x: Tensor, time: Tensor) -> Tensor:
            (found,) = self.velocity(x, time, start, seen)
            return found

        return velocity

    def _tables(self, where: Tensor) -> tuple[Tensor, Tensor]:
        return tables(where, self.sizes.theta, self.sizes.sections)

    def _choose(self, hidden: Tensor) -> Tensor:
        scores = self.network.language.head(hidden)
        scores[:, BINS[0] : BINS[1]] = float('-inf')
        best: Tensor = scores.argmax(-1)
        return best

    def _prefill(
        self, ids: Tensor, where: Tensor, last: Tensor, at: Tensor, *pictures: Tensor
    ) -> Outputs:
        place = Place(*self._tables(where), torch.arange(len(ids), device=self.device))
        hidden = self.network.language(ids, place, self.cache, pictures, at)
        return (self._choose(hidden[last]),)

    def _step(self, ids: Tensor, slots: Tensor, where: Tensor) -> Outputs:
        every = torch.arange(self.cache.slots, device=self.device)
        mask = hide(every <= slots[:, None], self.dtype)
        place = Place(*self._tables(where.expand(3, -1)), slots, mask)
        return (self._choose(self.network.language(ids, place, self.cache)),)

    def _velocity(self, actions: Tensor, time: Tensor, start: Tensor, seen: Tensor) -> Outputs:
        k, n = self.candidates, self.sizes.points
        where = (start + torch.arange(n, device=self.device)).repeat(k)
        every = torch.arange(self.cache.slots, device=self.device)
        own = torch.div(every - self._text_slots, n, rounding_mode='floor')
        mine = torch.arange(k, device=self.device).repeat_interleave(n)
        mask = hide((every < seen) | (own == mine[:, None]), self.dtype)
        slots = self._text_slots + torch.arange(k * n, device=self.device)
        place = Place(*self._tables(where.expand(3, -1)), slots, mask)
        return (self.network.expert(actions, time, place, self.cache),)


def guided(told: Field, free: Field, weight: float) -> Field:
    """Away from the flow without the instruction (Guided Flows, arXiv 2311.13443, equation 6)."""

    def velocity(x: Tensor, time: Tensor) -> Tensor:
        return (1 - weight) * free(x, time) + weight * told(x, time)

    return velocity


def _up(count: int, step: int) -> int:
    """``count`` rounded up to a multiple of ``step``."""
    return -(-count // step) * step
