"""The decode graph: one ONNX graph with a static cache for text ids and scene embeddings.

Opset 24 (TensorScatter, Attention, RotaryEmbedding, RMSNormalization), static slots.  Whoever runs
it may bind a cache's input and output to the same memory, so that nothing is copied
(docs/design.md, "Runtimes").
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from alpamayo_ros.export.onnx_graph import GraphBuilder, tensor
from alpamayo_ros.model.backbone import Backbone, Layer

F32, I64 = TensorProto.FLOAT, TensorProto.INT64


def _array(value: Any) -> NDArray[Any]:
    array: NDArray[Any] = value.detach().cpu().float().numpy()
    return array


def _linear(b: GraphBuilder, x: str, name: str, linear: Any) -> str:
    y = b.node('MatMul', [x, b.weight(f'{name}.weight', _array(linear.weight).T)])
    if linear.bias is None:
        return y
    return b.node('Add', [y, b.weight(f'{name}.bias', _array(linear.bias))])


def _rms(b: GraphBuilder, x: str, name: str, norm: Any, output: str = '') -> str:
    scale = b.weight(f'{name}.weight', _array(norm.weight))
    return b.node('RMSNormalization', [x, scale], output, axis=-1, epsilon=norm.eps)


def _heads(b: GraphBuilder, x: str, name: str, layer: Layer, part: str, heads: int) -> str:
    y = _linear(b, x, f'{name}.{part}', getattr(layer, part))
    y = b.node('Reshape', [y, b.integers(1, -1, heads, layer.q.out_features // layer.heads)])
    y = b.node('Transpose', [y], perm=[0, 2, 1, 3])
    if part == 'v':
        return y
    norm = getattr(layer, f'{part}_norm')
    if hasattr(norm, 'eps'):
        y = _rms(b, y, f'{name}.{part}_norm', norm)
    return b.node('RotaryEmbedding', [y, 'cos', 'sin', 'positions'])


def _layer(b: GraphBuilder, x: str, index: int, layer: Layer) -> str:
    name = f'layer{index}'
    y = _rms(b, x, f'{name}.norm1', layer.norm1)
    q = _heads(b, y, name, layer, 'q', layer.heads)
    cache = []
    for part in ('k', 'v'):
        new = _heads(b, y, name, layer, part, layer.kv_heads)
        pair = [f'{part}{index}', new, 'start']
        cache.append(b.node('TensorScatter', pair, f'new_{part}{index}', axis=2, mode='linear'))
    a = b.node('Attention', [q, *cache, 'mask'])
    a = b.node('Transpose', [a], perm=[0, 2, 1, 3])
    a = b.node('Reshape', [a, b.integers(1, -1, layer.q.out_features)])
    x = b.node('Add', [x, _linear(b, a, f'{name}.out', layer.out)])
    y = _rms(b, x, f'{name}.norm2', layer.norm2)
    gate = _linear(b, y, f'{name}.gate', layer.mlp.gate)
    gate = b.node('Mul', [gate, b.node('Sigmoid', [gate])])
    up = _linear(b, y, f'{name}.up', layer.mlp.up)
    down = _linear(b, b.node('Mul', [gate, up]), f'{name}.down', layer.mlp.down)
    return b.node('Add', [x, down])


def decode_graph(backbone: Backbone, slots: int) -> Any:
    """``ids positions start is_text extra mask k* v*`` -> ``logits hidden new_k* new_v*``.

    n tokens are fed to the slots ``start``..``start + n - 1``: the embedding of ``ids`` where
    ``is_text``, else ``extra``.  ``mask`` (1, 1, n, slots) is additive; logits and hidden states
    of all n come back.
    """
    shape = backbone.shape
    head = shape.width // shape.heads
    b = GraphBuilder()
    b.weight('cos', _array(backbone.cos))
    b.weight('sin', _array(backbone.sin))
    b.weight('embed', _array(backbone.embed.weight))
    text = b.node('Gather', ['embed', 'ids'])
    x = b.node('Where', ['is_text', text, 'extra'])
    for index, layer in enumerate(backbone.layers):
        x = _layer(b, x, index, cast(Layer, layer))
    _rms(b, x, 'norm', backbone.norm, 'hidden')
    if backbone.head is None:
        b.node('MatMul', ['hidden', b.node('Transpose', ['embed'], perm=[1, 0])], 'logits')
    else:
        b.node('MatMul', ['hidden', b.weight('head', _array(backbone.head.weight).T)], 'logits')
    cache = [1, shape.kv_heads, slots, head]
    names = [f'{part}{i}' for i in range(shape.layers) for part in 'kv']
    inputs = [
        tensor('ids', I64, [1, 'n']),
        tensor('positions', I64, [1, 'n']),
        tensor('start', I64, [1]),
        tensor('is_text', TensorProto.BOOL, [1, 'n', 1]),
        tensor('extra', F32, [1, 'n', shape.width]),
        tensor('mask', F32, [1, 1, 'n', slots]),
        *[tensor(name, F32, cache) for name in names],
    ]
    outputs = [
        tensor('logits', F32, [1, 'n', backbone.embed.num_embeddings]),
        tensor('hidden', F32, [1, 'n', shape.width]),
        *[tensor(f'new_{name}', F32, cache) for name in names],
    ]
    return b.model('decode', inputs, outputs)


def empty_cache(backbone: Backbone, slots: int) -> dict[str, NDArray[np.float32]]:
    """Zeroed inputs ``k0 v0 ...`` of the graph."""
    shape = backbone.shape
    zeros = np.zeros((1, shape.kv_heads, slots, shape.width // shape.heads), np.float32)
    return {f'{part}{i}': zeros.copy() for i in range(shape.layers) for part in 'kv'}
