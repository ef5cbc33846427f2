"""The stages before the words: pictures to tokens, tokens to keys; kept timesteps in pages.

A page is seen only where it holds what the cycle asks for: the timestep with that stamp and, where
keys are kept, at that position, read behind this text.  Any other is absent: hidden from
everything where keys are kept, a timestep without cameras where time is mixed before the backbone.
The host decides nothing of it, so that first cycles, gaps and cycles that were given up need no
other graph.
"""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.fast.language import Language
from alpamayo_ros.model.fast.places import Places, hidden_too
from alpamayo_ros.model.fast.vision import Encoder, Fusion, encoder
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.scene_inputs import SceneInputs
from alpamayo_ros.model.vla import VLA

EMPTY = -2  # in place of stamp and number of a page; no cycle asks for it


class Scene:
    """Tokens and keys of what a cycle sees.

    ``visual`` (N, width): tokens of the pictures that the backbone reads.  ``hidden`` (slots,
    width): hidden states of all tokens; ``pad`` (slots): ``MASKED`` where a slot holds no token of
    this cycle.  A page keeps features where time is mixed before the backbone, otherwise keys,
    values and hidden states.  ``present`` (T): which of the timesteps that the cycle asks for are
    there, newest first.
    """

    def __init__(self, model: VLA, language: Language, places: Places, pages: int) -> None:
        self._model, self._language, self._places = model, language, places
        self._encoder, self._fuse = encoder(model), Fusion(model)
        self.products = self._encoder.products if isinstance(self._encoder, Encoder) else []
        self._text, self._new = places.text(), places.new()
        p, like = model.profile, language.keys
        self.hidden = like.new_zeros(places.slots, p.backbone.width)
        self.pad = like.new_zeros(places.slots, dtype=torch.float32)
        self.visual = like.new_zeros(p.visual_tokens, p.backbone.width)
        self._cameras = like.new_ones(pages, len(p.views), dtype=torch.float32)
        self._held = like.new_full((pages, 2), EMPTY, dtype=torch.long)  # stamp [ns], number
        self._before = torch.arange(p.frames.count, device=like.device)
        self.present = like.new_zeros(p.frames.count, dtype=torch.bool)
        shape = (p.visual_tokens, p.vision.width)
        kept = (self.hidden, language.keys, language.values)
        n = p.visual_tokens
        self._kept: tuple[Tensor, ...] = (
            (like.new_zeros(pages, *shape),)
            if self._fuse.over_time
            else tuple(x.new_zeros(pages, *x.shape[:-2], n, x.shape[-1]) for x in kept)
        )

    @property
    def keeps_keys(self) -> bool:
        """Whether a page holds keys, behind one text at one position, or features."""
        return not self._fuse.over_time

    def clear(self) -> None:
        """Zeros everywhere: what is no number would spread from a slot that nothing sees."""
        for kept in (*self._live(), *self._kept, self.pad, self.visual):
            kept.zero_()
        self._held.fill_(EMPTY)

    def read_text(self, given: Given) -> None:
        """The prefix into the cache; again only when it changes.

        Keys that were kept saw the text before: those timesteps are absent from then on.
        """
        rows = self._text
        if self.keeps_keys:
            self._held.fill_(EMPTY)
        self.pad[self._places.prefix].copy_((1.0 - given.prefix_valid) * MASKED)
        looks = hidden_too(rows.looks, self.pad, self._language.shared)
        x = self._language.embed(given.prefix)
        self.hidden.index_copy_(
            0, rows.slots, self._language(x, rows.positions, rows.slots, looks)
        )

    def encode(self, given: Given) -> None:
        """The newest timestep's tokens, kept or mixed with kept ones."""
        features = self._encoder(given.images, given.cameras)
        self._cameras.index_copy_(0, given.page, given.cameras[None])
        self._look(given)
        there = self.present[:, None]
        if self._fuse.over_time:
            (kept,) = self._kept
            kept.index_copy_(0, given.page, features[None])
            chosen = _only(there[..., None], kept.index_select(0, given.chosen))
        else:
            chosen = features[None]
        seen = _only(there, self._cameras.index_select(0, given.chosen))
        self.visual.copy_(self._fuse(chosen, given.age_s, seen))

    def _look(self, given: Given) -> None:
        """The newest timestep's page is its own from here; which of the chosen are there."""
        own = torch.stack([given.stamps_ns[:1], given.shift], 1)
        self._held.index_copy_(0, given.page, own)
        wanted = torch.stack([given.stamps_ns, given.shift - self._before], 1)
        same = self._held.index_select(0, given.chosen) == wanted
        self.present.copy_(same[:, 0] if self._fuse.over_time else same.all(1))

    def prefill(self, given: Given) -> Tensor:
        """All new tokens into the cache; (1, width) the hidden state before the first word."""
        places, rows = self._places, self._new
        if places.prior is not None:
            self.pad[places.prior].copy_((1.0 - given.prior_valid) * MASKED)
        if self.keeps_keys:
            self._recall(given)
        looks = hidden_too(rows.looks, self.pad, self._language.shared)
        positions = rows.positions + rows.moving * given.shift
        states = self._language(self._tokens(given), positions, rows.slots, looks)
        self.hidden.index_copy_(0, rows.slots, states)
        if self.keeps_keys:
            self._keep(given)
        before = places.scene.stop - 1 if places.prior is None else places.prior.start - 1
        return self.hidden.index_select(0, given.last + before)

    def _tokens(self, given: Given) -> Tensor:
        """Embeddings of the new rows, pictures first as in ``Places.new``."""
        past = given.history[None], given.history_valid[None]
        lines = given.lines[None], given.lines_valid[None]
        more = SceneInputs(*past, *lines, given.age_s[None])
        scene = self._model.scene(self.visual[None], given.speed_mps, more)[0]
        before, n = given.lines.shape[0], len(self.visual)
        parts = [scene[before : before + n], scene[:before], scene[before + n :]]
        return torch.cat([*parts, self._language.embed(given.prior)])

    def _live(self) -> tuple[Tensor, ...]:
        return self.hidden, self._language.keys, self._language.values

    def _recall(self, given: Given) -> None:
        """Kept timesteps into the slots of their ages; absent ones are hidden."""
        hide = self.present.logical_not() * MASKED
        for age, place in enumerate(self._places.pages[1:], 1):
            there = self.present[age]
            self.pad[place].copy_(hide[age])
            for live, kept in zip(self._live(), self._kept, strict=True):
                page = kept.index_select(0, given.chosen[age : age + 1])[0]
                live[..., place, :].copy_(_only(there, page))

    def _keep(self, given: Given) -> None:
        """The newest timestep into its page."""
        newest = self._places.pages[0]
        for live, kept in zip(self._live(), self._kept, strict=True):
            kept.index_copy_(0, given.page, live[..., newest, :][None])


def _only(there: Tensor, kept: Tensor) -> Tensor:
    """``kept`` where it is there, zeros elsewhere: what is no number would spread."""
    return torch.where(there, kept, torch.zeros_like(kept))
