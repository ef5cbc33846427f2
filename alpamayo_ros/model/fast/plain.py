"""The same cycle as the modules compute it: the naive baseline, and what the fast one must equal.

All pictures of all timesteps, everything read anew, one word a pass from keys that grow by
copying, one call of the denoiser a step; no graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.backbone import Backbone
from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.kv_cache import KVCache
from alpamayo_ros.model.scene_inputs import SceneInputs
from alpamayo_ros.model.vla import VLA


class GrowingCache(KVCache):
    """Keys and values that are copied to make room for new ones."""

    @classmethod
    def of(cls, net: Backbone) -> GrowingCache:
        """An empty one."""
        none = net.new_cache(1, 0).keys
        batch, heads, slots, width = none[0].shape
        return cls(len(none), batch, heads, slots, width, none[0].device, none[0].dtype)

    def write(self, layer: int, start: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append; ``start`` is where they end already."""
        self.keys[layer] = torch.cat([self.keys[layer], k], 2)
        self.values[layer] = torch.cat([self.values[layer], v], 2)
        return self.keys[layer], self.values[layer]


@dataclass(frozen=True, slots=True)
class Told:
    """Words (N) and plans (K, P, 3)."""

    ids: Tensor
    plans: Tensor


class Plain:
    """Cycles of ``words`` words on ``model``; masks and positions are those of ``given``.

    A timestep that is absent in it is left out of the sequence, or has no cameras where time is
    mixed before the backbone.
    """

    def __init__(self, model: VLA, given: Given, words: int) -> None:
        self._model, self._words = model, words
        self._prior = given.prior_valid[None] if len(given.prior) else None
        there = kept(model, given, words)
        self._positions = shifted(model, given, words)[there]
        mask = model.attention_mask(given.prefix_valid[None], words, self._prior)
        self._mask = mask[:, :, there][..., there]
        coc = torch.ones(1, words, device=model.device)
        self._seen = model.denoiser_mask(given.prefix_valid[None], coc, self._prior)[:, there]
        self._read = there[: len(there) - words]
        last = model.sequence(len(given.prefix), 0).scene.stop - 1 + int(given.last)
        before = int((self._read < last).sum())
        self._before = slice(before, before + 1)

    @torch.no_grad()
    def __call__(self, images: Tensor, cameras: Tensor, given: Given) -> Told:
        """``images`` (T, V, H, W, 3) and ``cameras`` (T, V), newest first."""
        model = self._model
        cameras = cameras * (given.stamps_ns >= 0)[:, None]
        features = model.encode_timestep(images, cameras)
        visual = model.fuse(features[None], given.age_s[None], cameras[None])
        ids, hidden = self._text(visual, given)
        plans = model.denoise(hidden, self._seen, given.speed_mps, given.noise[None])
        return Told(ids, plans[0])

    def _text(self, visual: Tensor, given: Given) -> tuple[Tensor, Tensor]:
        """Words, and hidden states (1, S, width) of everything."""
        net, embed, mask = self._model.backbone, self._model.backbone.embed, self._mask
        past = given.history[None], given.history_valid[None]
        more = SceneInputs(*past, given.lines[None], given.lines_valid[None], given.age_s[None])
        scene = self._model.scene(visual, given.speed_mps, more)
        before = [] if self._prior is None else [embed(given.prior[None])]
        x = torch.cat([embed(given.prefix[None]), scene, *before], 1)[:, self._read]
        lead, cache = x.shape[1], GrowingCache.of(net)
        states = [net(x, self._positions[:lead], mask[:, :, :lead, :lead], cache)]
        ids = [net.logits(states[0][:, self._before]).argmax(-1)]
        for i in range(self._words):
            row = slice(lead + i, lead + i + 1)
            seen = mask[:, :, row, : lead + i + 1]
            states.append(net(embed(ids[-1]), self._positions[row], seen, cache, lead + i))
            ids.append(net.logits(states[-1]).argmax(-1))
        return torch.cat(ids[: self._words], 1)[0], torch.cat(states, 1)


def kept(model: VLA, given: Given, words: int) -> Tensor:
    """Places of the full sequence that are read: all but those of absent timesteps."""
    sequence = model.sequence(len(given.prefix), words, len(given.prior))
    there = torch.ones(len(sequence), dtype=torch.bool)
    pictures = [s.name for s in sequence.layout.segments if s.visual]
    if len(pictures) > 1:  # oldest first; where time is mixed before, there is one
        for name, stamp in zip(reversed(pictures), given.stamps_ns.tolist(), strict=True):
            there[sequence.span(name)] = stamp >= 0
    return there.nonzero()[:, 0].to(model.device)


def shifted(model: VLA, given: Given, words: int) -> Tensor:
    """RoPE positions of a sequence of full prefix and prior, pictures and all behind shifted."""
    prefix, prior = len(given.prefix), len(given.prior)
    positions = model.positions(prefix, words, prior)
    sequence = model.sequence(prefix, words, prior)
    first = next(s.name for s in sequence.layout.segments if s.visual)
    positions[sequence.span(first).start :] += given.shift
    return positions
