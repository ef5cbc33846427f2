"""The backbone over a static cache; rows come in any order, to slots given on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model import backbone
from alpamayo_ros.model.fast.attend import grouped
from alpamayo_ros.model.fast.joined import Product, joined


@dataclass(frozen=True, slots=True)
class Look:
    """What ``rows`` of a pass see: ``keys``, pieces of the cache, under ``mask``.

    ``mask`` (rows of all shared heads, keys), see ``attend.for_groups``.
    """

    rows: slice
    keys: tuple[slice, ...]
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the backbone with joined products; ``gain`` (heads, w) of normed q and k."""

    own: backbone.Layer
    qkv: Product
    out: Product
    gate_up: Product
    down: Product
    gain: Tensor | None

    @classmethod
    def of(cls, own: backbone.Layer) -> Layer:
        """Joins the products of ``own``."""
        gain, norms = None, (own.q_norm, own.k_norm)
        if isinstance(norms[0], backbone.RMSNorm) and isinstance(norms[1], backbone.RMSNorm):
            weights = (norm.weight.detach() for norm in norms)
            counts = (own.heads, own.kv_heads)
            gain = torch.cat([w.expand(n, -1) for w, n in zip(weights, counts, strict=True)])
        first = joined(own.q, own.k, own.v), joined(own.out)
        second = joined(own.mlp.gate, own.mlp.up), joined(own.mlp.down)
        return cls(own, *first, *second, gain)

    @property
    def products(self) -> list[Product]:
        """All that have weights."""
        return [self.qkv, self.out, self.gate_up, self.down]


class Language:
    """``Backbone`` of one sequence; ``keys``, ``values`` (layers, kv heads, slots, w)."""

    def __init__(self, net: backbone.Backbone, slots: int) -> None:
        shape, weight = net.shape, net.embed.weight.detach()
        self._net, self._width = net, shape.width // shape.heads
        self.shared = shape.heads // shape.kv_heads
        self._layers = [Layer.of(x) for x in net.layers if isinstance(x, backbone.Layer)]
        self.products = [product for layer in self._layers for product in layer.products]
        size = (shape.layers, shape.kv_heads, slots, self._width)
        self.keys, self.values = weight.new_zeros(size), weight.new_zeros(size)
        self._cos = torch.cat([net.cos, net.cos], -1).to(weight.dtype)
        self._sin = torch.cat([-net.sin, net.sin], -1).to(weight.dtype)

    @property
    def positions(self) -> int:
        """RoPE positions that can be told apart."""
        return len(self._cos)

    def embed(self, ids: Tensor) -> Tensor:
        """(N) -> (N, width)."""
        return F.embedding(ids, self._net.embed.weight)

    def choose(self, hidden: Tensor) -> Tensor:
        """(N, width) -> (N) ids of the words with the best scores."""
        return self.scores(hidden, self._words).argmax(-1)

    def head(self, ids: Tensor) -> Tensor:
        """(n, width) rows of the output head: a copy for scores of these words alone."""
        return self._words.detach()[ids]

    def scores(self, hidden: Tensor, words: Tensor) -> Tensor:
        """(N, width) and rows of the head -> (N, n), in single precision.

        In bfloat16 many would be equal.
        """
        if hidden.is_cuda and hidden.dtype != torch.float32:
            return torch.mm(hidden, words.T, out_dtype=torch.float32)
        return (hidden @ words.T).float()

    @property
    def _words(self) -> Tensor:
        return (self._net.embed if self._net.head is None else self._net.head).weight

    def __call__(
        self, x: Tensor, positions: Tensor, slots: Tensor, looks: Sequence[Look]
    ) -> Tensor:
        """Hidden states (N, width) of rows ``x``, written to ``slots`` (N) of the cache.

        ``looks`` cover the rows in order.
        """
        turn = self._cos[positions][:, None], self._sin[positions][:, None]
        for layer, keys, values in zip(self._layers, self.keys, self.values, strict=True):
            seen = self._attend(layer, x, turn, slots, (keys, values), looks)
            x = layer.out.added(seen, x)
            gate, up = layer.gate_up(_norm(layer.own.norm2, x)).chunk(2, -1)
            x = layer.down.added(F.silu(gate) * up, x)
        return _norm(self._net.norm, x)

    def _attend(
        self,
        layer: Layer,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        slots: Tensor,
        cache: tuple[Tensor, Tensor],
        looks: Sequence[Look],
    ) -> Tensor:
        heads, kv_heads = layer.own.heads, layer.own.kv_heads
        parts = layer.qkv(_norm(layer.own.norm1, x)).view(len(x), -1, self._width)
        qk, v = parts.split([heads + kv_heads, kv_heads], 1)
        if layer.gain is not None:
            qk = F.rms_norm(qk, (self._width,), eps=_eps(layer.own.q_norm)) * layer.gain
        qk = torch.addcmul(qk * turn[0], qk.roll(self._width // 2, -1), turn[1])
        for kept, new in zip(cache, (qk[:, heads:], v), strict=True):
            kept.index_copy_(1, slots, new.transpose(0, 1))
        seen = [grouped(qk[look.rows, :heads], *_pieces(cache, look.keys), look.mask)
                for look in looks]  # fmt: skip
        return seen[0] if len(seen) == 1 else torch.cat(seen)


def _pieces(cache: tuple[Tensor, Tensor], places: tuple[slice, ...]) -> tuple[Tensor, Tensor]:
    """Keys and values at some places; all of them where there is no place."""
    if not places:
        return cache
    keys, values = (torch.cat([kept[:, place] for place in places], 1) for kept in cache)
    return keys, values


def _norm(norm: backbone.RMSNorm, x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), norm.weight, norm.eps)


def _eps(norm: torch.nn.Module) -> float:
    assert isinstance(norm, backbone.RMSNorm)
    return norm.eps
