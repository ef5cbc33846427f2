"""The stages of a cycle on the device: what is uploaded, and which graph runs then.

A graph a stage serves every cycle: a timestep, all before the words, a pass of words, the plans.
The host waits for the words, a pass at a time, since they decide how many passes there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from alpamayo_ros.model.fast.cycle import Cycle, Passes
from alpamayo_ros.model.fast.given import ABSENT_NS
from alpamayo_ros.model.fast.ruled_words import RuledWords
from alpamayo_ros.model.fast.rules import Guess, Rules
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.runtime.past_motion import past_motion
from alpamayo_ros.runtime.torch_cuda.timesteps import Place, Timestep, Timesteps
from alpamayo_ros.types import Conditioning, FrameStack
from alpamayo_ros.units import NS

WIDTH = 32  # words of a pass: a GPU reads all weights for one word too
TEXT = ('prefix', 'prefix_valid')
PICTURE = ('cameras', 'page', 'chosen', 'stamps_ns', 'shift', 'age_s')
MOTION = ('speed_mps', 'history', 'history_valid', 'prior', 'prior_valid', 'last')


class DeviceStages:
    """``model`` under ``grammar`` with buffers and graphs; each call waits until it is done."""

    def __init__(self, model: VLA, grammar: Grammar, graphs: bool = True) -> None:
        p = model.profile
        self._rules, self._count = Rules.of(grammar, model.device), p.frames.count
        self._limit, ways = p.text.max_coc, [Passes(WIDTH, 1)]
        with torch.no_grad():
            self._cycle = Cycle(model, self._limit, ways, graphs, self._rules, spare=self._count)
        cycle, words = self._cycle, self._cycle.words
        assert isinstance(words, RuledWords)
        self._words, self._host, self._given = words, cycle.host, cycle.given
        pinned = self._host.noise.is_pinned()
        self.timesteps = Timesteps(cycle.pages, tuple(self._host.images.shape), pinned)
        self._spacing_ns = round(p.frames.spacing_s * NS)
        last_word = cycle.places.word_position + self._limit
        self._numbers = max(1, cycle.language.positions - last_word)
        self._read = cycle.graph(lambda: cycle.scene.read_text(cycle.given))
        self._say = cycle.graph(lambda: words.say(cycle.given, self._limit))
        self._ask = cycle.graph(self._asked)
        self._known = torch.zeros(2, dtype=torch.long, pin_memory=pinned)
        self._prefix: tuple[int, ...] | None = None
        self._lacking = False  # whether a past timestep waits for the text
        self._unread: Place | None = None  # one whose page has no keys yet

    # -- pictures -------------------------------------------------------------------------------
    def encode(self, frames: FrameStack) -> int:
        """The newest timestep, and past ones that no page holds; how many were encoded.

        Where pages hold keys, past ones wait for the text (:meth:`before_words`).
        """
        if self._unread is not None:  # a cycle that was given up
            self.timesteps.drop(self._unread)
        return self._show(frames, past=not self._cycle.scene.keeps_keys)

    def _show(self, frames: FrameStack, past: bool) -> int:
        wanted = self._timesteps(frames)
        places = [self.timesteps.find(one) for one in wanted]
        read = self._fill(frames, wanted, places) if past else 0
        places[0] = places[0] or self.timesteps.put(wanted[0], places)
        self._encode(frames, places, wanted[0])
        self._lacking = None in places
        return read + 1

    def _fill(self, frames: FrameStack, wanted: list[Timestep], places: list[Place | None]) -> int:
        """Past timesteps that no page holds, as if each were the newest; how many."""
        count = 0
        for i in range(1, len(wanted)):
            places[i] = places[i] or self.timesteps.find(wanted[i])  # the same pictures twice
            if places[i] is None:
                places[i] = self.timesteps.put(wanted[i], places)
                self._encode(frames, [places[i]], wanted[i])
                if self._cycle.scene.keeps_keys:
                    self._prefill()
                count += 1
        return count

    def _timesteps(self, frames: FrameStack) -> list[Timestep]:
        """Of all of a cycle, newest first; numbers follow from ``t0_ns``, whatever came before.

        They begin anew where the backbone has no further positions.
        """
        number, step = 0, 0
        if self._cycle.scene.keeps_keys:
            step = 1
            number = frames.t0_ns // self._spacing_ns % self._numbers
        pairs = zip(frames.images, frames.valid, strict=True)
        return [
            Timestep(np.ascontiguousarray(images), valid, number - i * step)
            for i, (images, valid) in enumerate(pairs)
        ]

    def _encode(
        self, frames: FrameStack, places: Sequence[Place | None], newest: Timestep
    ) -> None:
        """The timestep of the first place, beside those of the others."""
        own, host = places[0], self._host
        assert own is not None
        self._unread = own  # dropped by the next cycle, should this one be given up
        lacking = [None] * (self._count - len(places))
        places = [*places, *lacking]
        host.page.fill_(own.page)
        host.chosen.copy_(torch.tensor([own.page if p is None else p.page for p in places]))
        host.stamps_ns.copy_(torch.tensor([ABSENT_NS if p is None else p.mark for p in places]))
        host.shift.fill_(newest.number)
        host.cameras.copy_(torch.from_numpy(newest.valid))
        host.age_s.copy_(torch.from_numpy(frames.age_s))
        self._given.images.copy_(self.timesteps.pictures[own.page], non_blocking=True)
        self._given.copy_(host, *PICTURE)
        self._cycle.encode()
        self._cycle.wait()
        self._unread = own if self._cycle.scene.keeps_keys else None

    def _prefill(self) -> None:
        self._cycle.prefill()
        self._cycle.wait()
        self._unread = None

    # -- words ----------------------------------------------------------------------------------
    def before_words(
        self,
        frames: FrameStack,
        given: Conditioning,
        prefix: tuple[int, ...],
        prior: tuple[int, ...],
    ) -> None:
        """Text, past timesteps that are not kept behind it, and all else that words follow.

        ``frames`` are those that were encoded last.
        """
        self._motion(given, prior)
        if prefix != self._prefix:
            self._text(prefix)
        if self._lacking:
            self._show(frames, past=True)
        self._prefill()

    def _text(self, prefix: tuple[int, ...]) -> None:
        host = self._host
        _fill_in(host.prefix, host.prefix_valid, prefix)
        self._given.copy_(host, *TEXT)
        self._read()
        self._prefix = prefix
        if self._cycle.scene.keeps_keys:
            self.timesteps.clear()
            self._lacking = True

    def _motion(self, given: Conditioning, prior: tuple[int, ...]) -> None:
        host = self._host
        host.speed_mps.fill_(float(given.ego.speed_mps[0]))
        if len(host.history):
            for mine, numbers in zip(
                (host.history, host.history_valid), past_motion(given.ego), strict=True
            ):
                mine.copy_(torch.from_numpy(numbers))
        _fill_in(host.prior, host.prior_valid, prior)
        host.last.fill_(len(prior))
        self._given.copy_(host, *MOTION)

    def words(self, guess: Guess) -> tuple[tuple[int, ...], int]:
        """Token ids by the grammar, and passes; ``guess`` changes how many, never the ids."""
        self._begin(guess)
        count, state, passes = 0, -1, 0
        while state != self._rules.end and count < self._limit:
            self._cycle.drafted[0]()
            passes += 1
            count, state = self._told()
        return tuple(self._words.ids[:count].tolist()), passes

    def _begin(self, guess: Guess) -> None:
        self._guess(guess)
        self._cycle.begin()

    def _guess(self, guess: Guess) -> None:
        self._host.guess.copy_(self._rules.guesses(guess))
        self._given.copy_(self._host, 'guess')

    def _asked(self) -> None:
        """From the first word on: a recording runs it several times, and room is for one text."""
        self._cycle.first_word()
        self._words.step(self._given, self._limit)

    def ask(self, ids: tuple[int, ...], guess: Guess) -> bool:
        """As :meth:`say`; whether decoding would choose these words, of which ``guess`` is made.

        What they left stays for :meth:`words`, which can be asked for others afterwards.
        """
        self._guess(guess)
        self._ask()
        count, state = self._told()
        self._words.count.fill_(len(ids))
        return count == len(ids) and state == self._rules.end

    def say(self, ids: tuple[int, ...]) -> None:
        """Words that are given instead of chosen, in one pass."""
        self._host.draft.zero_()
        self._host.draft[: len(ids)].copy_(torch.tensor(ids, dtype=torch.long))
        self._host.said.fill_(len(ids))
        self._given.copy_(self._host, 'draft', 'said')
        self._say()
        self._cycle.wait()

    def _told(self) -> tuple[int, int]:
        """How many words there are, and the state of the grammar behind them."""
        self._known.copy_(torch.cat([self._words.count, self._words.state]), non_blocking=True)
        self._cycle.wait()
        count, state = self._known.tolist()
        return int(count), int(state)

    # -- plans ----------------------------------------------------------------------------------
    def plans(self, noise: Float[np.ndarray, 'K P 3']) -> Float[np.ndarray, 'K P 3']:
        """Candidates in metres, behind the words that are there.

        ValueError where ``noise`` is of another shape than the profile's.
        """
        if noise.shape != tuple(self._host.noise.shape):
            wanted = tuple(self._host.noise.shape)
            raise ValueError(f'noise of shape {noise.shape}; this model was made for {wanted}')
        self._host.noise.copy_(torch.from_numpy(np.asarray(noise, np.float32)))
        self._given.copy_(self._host, 'noise')
        self._cycle.denoise()
        found: Float[np.ndarray, 'K P 3'] = self._cycle.plans.cpu().numpy().copy()
        return found

    def clear(self) -> None:
        """Forget pictures and text, zero what is kept."""
        self.timesteps.clear()
        self._cycle.scene.clear()
        self._prefix = self._unread = None


def _fill_in(ids: Tensor, valid: Tensor, words: tuple[int, ...]) -> None:
    """Token ids from the first on, padding behind them."""
    ids.zero_()
    valid.zero_()
    ids[: len(words)].copy_(torch.tensor(words, dtype=torch.long))
    valid[: len(words)].fill_(1.0)
