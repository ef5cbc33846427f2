"""All denoising steps of all candidates over one context.

Keys of the context are computed once a cycle; the modulations of all steps are one product.
Candidates are further query rows of the one context, which is never copied.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from alpamayo_ros.model.denoiser.denoiser import Denoiser
from alpamayo_ros.model.denoiser.dit import DiT
from alpamayo_ros.model.denoiser.wide_block import WideBlock
from alpamayo_ros.model.fast import attend
from alpamayo_ros.model.fast.given import Given
from alpamayo_ros.model.fast.joined import Product, joined
from alpamayo_ros.model.fast.places import Places
from alpamayo_ros.model.fast.scene import Scene
from alpamayo_ros.model.fast.words import Words
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.sampler import advance, sampler
from alpamayo_ros.model.vla import VLA

Predict = Callable[[Tensor, int], Tensor]  # noisy plans (K, P, 3) at a step to a prediction


class AsItIs:
    """The temporal U-Net, or a DiT of narrow blocks, called as a module.

    The condition of a step is one row for all candidates.
    """

    def __init__(self, net: Denoiser) -> None:
        self._net = net
        self.products: list[Product] = []  # none: launches bind them

    def over(self, hidden: Tensor, hide: Tensor, c: Tensor) -> Predict:
        """Of a context (S, width), ``MASKED`` where it is hidden (S), conditions (steps, w)."""
        context = self._net.context(hidden[None])

        def predict(x: Tensor, step: int) -> Tensor:
            with sdpa_kernel(attend.MASKED, set_priority=True):
                out: Tensor = self._net(x, c[step : step + 1], context, hide[None, None, None])
            return out

        return predict


class Blocks:
    """A DiT of wide blocks with joined products."""

    def __init__(self, net: DiT) -> None:
        self._net, self._blocks = net, [b for b in net.blocks if isinstance(b, WideBlock)]
        self._keys = joined(*(b.cross.kv for b in self._blocks))
        self._modulations = joined(*(b.modulation for b in self._blocks))
        self._own = [joined(b.own.q, b.own.kv) for b in self._blocks]
        self._own_out = [joined(b.own.out) for b in self._blocks]
        self._cross = [(joined(b.cross.q), joined(b.cross.out)) for b in self._blocks]
        self._gate_up = [joined(b.mlp.gate, b.mlp.up) for b in self._blocks]
        self._down = [joined(b.mlp.down) for b in self._blocks]
        parts = [*self._own, *self._own_out, *chain(*self._cross), *self._gate_up, *self._down]
        self.products = [self._keys, *parts]
        one = torch.tensor([1.0, 0.0, 1.0] * 2)  # scale, shift, gate: scales and gates are 1 + m
        self._one = one[:, None].to(net.position)

    def over(self, hidden: Tensor, hide: Tensor, c: Tensor) -> Predict:
        """See :meth:`AsItIs.over`."""
        cross, count = self._blocks[0].cross, len(self._blocks)
        keys = self._keys(hidden).view(len(hidden), count, 2, cross.kv_heads, -1)
        context = keys.permute(1, 2, 3, 0, 4).contiguous()
        changes = self._modulations(c).view(len(c), count, 6, -1) + self._one

        def predict(x: Tensor, step: int) -> Tensor:
            net = self._net
            h = net.inp(x.to(net.position.dtype).view(len(x), -1, net.chunk)) + net.position
            mask = attend.for_groups(
                hide.expand(h.shape[0] * h.shape[1], -1), cross.heads // cross.kv_heads
            )
            for i, m in enumerate(changes[step]):
                h = self._block(i, h, m, context[i], mask)
            return net.out(net.norm(h)).view(x.shape)

        return predict

    def _block(self, i: int, x: Tensor, m: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        block, own, shape = self._blocks[i], self._blocks[i].own, x.shape
        parts = self._own[i](_changed(x, m[0], m[1])).unflatten(-1, (3, own.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        x = torch.addcmul(
            x, m[2], self._own_out[i](attend.attend(q, k, v).transpose(1, 2).flatten(2))
        )
        to_keys, back = self._cross[i]
        rows = to_keys(_normed(x)).view(shape[0] * shape[1], block.cross.heads, -1)
        seen = attend.grouped(rows, keys[0], keys[1], mask)
        x = x + back(seen).view(shape)
        gate, up = self._gate_up[i](_changed(x, m[3], m[4])).chunk(2, -1)
        return torch.addcmul(x, m[5], self._down[i](F.silu(gate) * up))


class Plans:
    """Candidates (K, P, 3) in metres."""

    def __init__(self, model: VLA, places: Places) -> None:
        self._model, net, device = model, model.denoiser, model.device
        wide = model.profile.denoiser.ffn is not None
        self._net = Blocks(net) if isinstance(net, DiT) and wide else AsItIs(net)
        self.products = self._net.products
        diffusion = model.profile.diffusion
        self._steps = sampler(diffusion)
        times = [step.start / diffusion.train_steps for step in self._steps]
        self._times = torch.tensor(times, device=device)
        self._slot = torch.arange(places.slots, device=device)
        self._coc = places.coc
        seen = torch.ones(places.slots, dtype=torch.bool)
        if not model.profile.denoiser.sees_scene:
            for page in places.pages:
                seen[page] = False
        self._seen = seen.nonzero()[:, 0].to(device)

    def __call__(self, given: Given, scene: Scene, words: Words) -> Tensor:
        """Behind the words that are there."""
        net, k = self._model.denoiser, len(given.noise)
        hide = scene.pad.masked_fill(self._slot >= self._coc + words.count, MASKED)
        hide = hide.index_select(0, self._seen)
        hidden = scene.hidden.index_select(0, self._seen)
        c = net.condition(self._times, given.speed_mps.expand(len(self._times)))
        predict = self._net.over(hidden, hide, c)
        x = x0 = given.noise
        kind = self._model.profile.diffusion.prediction_type
        for i, step in enumerate(self._steps):
            x0, x = advance(predict(x, i).float(), x, x0, step.numbers, kind)
        return net.to_metres(x0, given.speed_mps.expand(k))


def _normed(x: Tensor) -> Tensor:
    return F.layer_norm(x, (x.shape[-1],))


def _changed(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift, _normed(x), scale)
