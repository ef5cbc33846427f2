"""The same model without anything that makes it fast, and with one such thing less at a time.

Naive: every picture of every timestep is encoded, the text prefix is read again, words come one a
pass from a key/value cache that grows by copying, and the denoiser is called once a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from onnx import helper

from alpamayo_ros.export.export_stages import denoise_parts, step_constants
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.sampler import Step, sampler
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.runtime.base import Condition, Features
from alpamayo_ros.runtime.chunks import Chunk, ChunkFeeder
from alpamayo_ros.runtime.decode import Decoded, Feed, choose
from alpamayo_ros.runtime.onnx_session import open_session
from alpamayo_ros.runtime.staged import StagedRuntime, Stages
from alpamayo_ros.types import Conditioning, FrameStack, Reasoning

DECODE = 'decode.onnx'


def one_word_a_pass(grammar: Grammar, feed: Feed, limit: int) -> Decoded:
    """Plain greedy decoding under the grammar: neither forced runs nor a draft."""
    ids: list[int] = []
    state, ties = grammar.start, 0
    rows = feed((), 0)
    while not grammar.done(state) and len(ids) < limit:
        token, near = choose(rows[-1], grammar.allowed(state))
        state = grammar.advance(state, token)
        ties += near
        rows = feed((token,), len(ids))
        ids.append(token)
    return Decoded(tuple(ids), len(ids) + 1, ties, not grammar.done(state))


class Slower(StagedRuntime):
    """A runtime with the named savings left out: ``features``, ``prefix``, ``draft``, ``runs``."""

    def __init__(self, fast: StagedRuntime, stages: Stages, *without: str) -> None:
        super().__init__(fast.profile, fast.identity, fast.grammar, stages)
        self._without = without

    def encode(self, frames: FrameStack) -> Features:
        """Every timestep anew without ``features``."""
        if 'features' in self._without:
            self.features.clear()
        return super().encode(frames)

    def reason(self, features: Features, given: Conditioning) -> Reasoning:
        """The prefix anew without ``prefix``."""
        if 'prefix' in self._without:
            self._prefix = ()
        return super().reason(features, given)

    def _decoded(self, head: ChunkFeeder, given: Conditioning) -> Decoded:
        if 'runs' in self._without:
            return one_word_a_pass(self.grammar, head, self.profile.text.max_coc)
        if 'draft' in self._without:
            given = replace(given, previous_text='')
        return super()._decoded(head, given)


class SteppedDenoiser:
    """The denoiser as three graphs, the middle one called once a step."""

    def __init__(self, model: VLA, steps: Sequence[Step] = ()) -> None:
        self._head, self._step, self._tail = (_session(part) for part in denoise_parts(model))
        with torch.no_grad():
            steps = steps or sampler(model.profile.diffusion)
            self._constants = [step_constants(model, step) for step in steps]

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """Head, so many calls of a step, tail."""
        speed = condition.given.ego.speed_mps[:1].astype(np.float32)
        feed = {'hidden': condition.hidden[None].astype(np.float32), 'speed': speed}
        ego, context = self._head.run(None, feed)
        mask = np.zeros((1, 1, 1, len(condition.hidden)), np.float32)
        x = x0 = noise.astype(np.float32)
        for time, numbers in self._constants:
            given = {'x': x, 'last': x0, 'time': time, 'numbers': numbers, 'ego': ego}
            x0, x = self._step.run(None, {**given, 'context': context, 'mask': mask})
        plans: NDArray[np.float32] = self._tail.run(None, {'x0': x0, 'speed': speed})[0]
        return plans


class GrowingCache:
    """The decode graph with keys and values that grow by copying instead of static slots.

    ``weights``: what lies in the file beside a graph beyond 2 GiB.
    """

    def __init__(self, decode: bytes, weights: bytes | None = None) -> None:
        model = with_growing_cache(onnx.load_from_string(decode))
        self._session = _session(model, DECODE, weights)
        shapes = {i.name: i.shape for i in self._session.get_inputs()}
        self._empty = {
            name: np.zeros([1, shape[1], 0, shape[3]], np.float32)
            for name, shape in shapes.items()
            if name[0] in 'kv'
        }
        self._kept = self._empty
        self._names = [output.name for output in self._session.get_outputs()]

    def decode(self, chunk: Chunk) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One pass; what was kept from ``chunk.start`` on is forgotten."""
        end = chunk.start + len(chunk.ids)
        feed = {
            'ids': chunk.ids[None],
            'is_text': chunk.is_text[None, :, None],
            'extra': chunk.extra[None],
            'positions': chunk.positions[None],
            'mask': np.ascontiguousarray(chunk.mask[None, None, :, :end]),
            **{name: values[:, :, : chunk.start] for name, values in self._kept.items()},
        }
        found = dict(zip(self._names, self._session.run(None, feed), strict=True))
        self._kept = {name: found[f'new_{name}'] for name in self._empty}
        return found['logits'][0], found['hidden'][0]

    def clear(self) -> None:
        """Forget all keys and values."""
        self._kept = self._empty


class Mixed:
    """``staged.Stages`` of ``fast`` with another cache or another denoiser."""

    def __init__(
        self,
        fast: Stages,
        cache: GrowingCache | None = None,
        denoiser: SteppedDenoiser | None = None,
    ) -> None:
        self.encode, self.fuse = fast.encode, fast.fuse
        self.decode = (cache or fast).decode
        self.clear = (cache or fast).clear
        self.denoise = (denoiser or fast).denoise


def with_growing_cache(model: Any) -> Any:
    """A decode graph that appends new keys and values to those that come in."""
    graph = model.graph
    for node in graph.node:
        if node.op_type == 'TensorScatter':
            past, new, _ = node.input
            joined = helper.make_node('Concat', [past, new], list(node.output), axis=2)
            node.CopyFrom(joined)
    kept = [value for value in graph.input if value.name != 'start']
    del graph.input[:]
    graph.input.extend(kept)
    for value in (*graph.input, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        if value.name[0] in 'kv' and value.name[1:].isdigit():
            sizes[2].dim_param = 'past'
        elif value.name.startswith('new_'):
            sizes[2].dim_param = 'keys'
        elif value.name == 'mask':
            sizes[3].dim_param = 'keys'
    return model


def _session(model: Any, name: str = 'graph', weights: bytes | None = None) -> Any:
    opened = open_session(name, model.SerializeToString(), weights=weights)
    if not hasattr(opened, 'run'):
        raise RuntimeError(str(opened))
    return opened
