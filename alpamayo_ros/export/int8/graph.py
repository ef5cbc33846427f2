"""Products with constant weights in INT8: symmetric Q/DQ pairs, per tensor and per channel.

    x -> QuantizeLinear -> DequantizeLinear ---\
                      weight -> DequantizeLinear -> MatMul

What is one product of two activations (attention), one row (conditioning) or a convolution stays
in float; codes and matrices are those of ``model/int8_codes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from alpamayo_ros.export.onnx_graph import SMALL, sweep
from alpamayo_ros.model.int8_codes import ACTIVATION, WEIGHT, becomes_int8

STAGES = {'encoder': 'encoder.onnx', 'backbone': 'decode.onnx', 'denoiser': 'denoise.onnx'}


def sites(model: Any) -> list[Any]:
    """The products that can be in INT8: a MatMul with a constant matrix on its right."""
    matrices = _matrices(model)
    return [n for n in model.graph.node if n.op_type == 'MatMul' and n.input[1] in matrices]


def activations(model: Any) -> list[str]:
    """What :func:`sites` read on their left, each once, in order."""
    return list(dict.fromkeys(node.input[0] for node in sites(model)))


def observed(data: bytes) -> tuple[bytes, list[str]]:
    """The graph with every activation of a site as one more output, and their names."""
    model = onnx.ModelProto.FromString(data)
    given = {value.name for value in (*model.graph.input, *model.graph.output)}
    names = activations(model)
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in names
        if name not in given
    )
    return model.SerializeToString(), names


def quantised(data: bytes, ranges: Mapping[str, float]) -> bytes:
    """The graph with all its sites in INT8; ``ranges``: greatest magnitude of each activation."""
    model = onnx.ModelProto.FromString(data)
    matrices, graph = _matrices(model), model.graph
    chosen = {node.output[0] for node in sites(model)}
    first: list[Any] = []  # weights, which depend on nothing
    nodes: list[Any] = []
    known: set[str] = set()
    for node in graph.node:
        if node.output[0] in chosen:
            left, right = node.input
            if right not in known:
                first.append(_stored(graph, right, matrices[right]))
            if left not in known:
                _scale(graph, left, ranges[left])
            known |= {left, right}
            node.input[0], node.input[1] = f'{node.output[0]}.left', f'{right}.int8.float'
            nodes += _pair(left, node.input[0])
        nodes.append(node)
    del graph.node[:], graph.value_info[:]
    graph.node.extend([*first, *nodes])
    sweep(graph)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _matrices(model: Any) -> dict[str, NDArray[np.float32]]:
    """Constant matrices by the name that products read, also those stored in float16."""
    stored = {t.name: t for t in model.graph.initializer if np.prod(t.dims) >= SMALL}
    found = {name: name for name in stored}
    found |= {
        node.output[0]: node.input[0]
        for node in model.graph.node
        if node.op_type == 'Cast' and node.input[0] in stored
    }
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT16)
    return {
        name: numpy_helper.to_array(stored[place]).astype(np.float32)
        for name, place in found.items()
        if len(stored[place].dims) == 2
        and becomes_int8(*stored[place].dims)
        and stored[place].data_type in kinds
    }


def _stored(graph: Any, name: str, values: NDArray[np.float32]) -> Any:
    """The matrix as codes with a scale a column, and the node that reads it."""
    scale = np.abs(values).max(0) / WEIGHT
    scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
    codes = np.clip(np.rint(values / scale), -WEIGHT, WEIGHT).astype(np.int8)
    names = [f'{name}.int8', f'{name}.scale', f'{name}.zero']
    parts = (codes, scale, np.zeros(len(scale), np.int8))
    graph.initializer.extend(
        numpy_helper.from_array(part, made) for part, made in zip(parts, names, strict=True)
    )
    return helper.make_node('DequantizeLinear', names, [f'{name}.int8.float'], axis=1)


def _scale(graph: Any, name: str, greatest: float) -> None:
    """The scale of an activation and its zero point."""
    scale = np.array(greatest / ACTIVATION if greatest > 0 else 1.0, np.float32)
    graph.initializer.append(numpy_helper.from_array(scale, f'{name}.scale'))
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.int8), f'{name}.zero'))


def _pair(name: str, output: str) -> Iterator[Any]:
    """An activation as codes and as floats again, for one product.

    A pair of its own for each: ONNX Runtime fuses no pair that two products read.
    """
    codes, known = f'{output}.int8', [f'{name}.scale', f'{name}.zero']
    yield helper.make_node('QuantizeLinear', [name, *known], [codes])
    yield helper.make_node('DequantizeLinear', [codes, *known], [output])
