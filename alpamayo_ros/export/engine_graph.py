"""Graphs as TensorRT wants them: products and attention in float16, pictures as floats.

TensorRT 11 and TensorRT for RTX take every precision from the graph.  Sums, norms and softmax stay
in float32; only what a matrix unit computes is narrowed, and the key/value cache with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from alpamayo_ros.export.onnx_graph import sweep
from alpamayo_ros.export.outside import check, whole

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
PRODUCTS = ('MatMul', 'Gemm', 'Conv', 'Attention')
CACHES = 'TensorScatter'


def engine_graph(data: bytes, weights: bytes = b'') -> Any:
    """The ONNX model ``data``, rewritten; it computes the same to what float16 holds.

    ``weights``: what lies in the file beside a graph beyond 2 GiB.
    """
    model = whole(data, weights)
    del model.graph.value_info[:]
    _Rewriting(model).run()
    check(model)
    return model


class _Rewriting:
    """One pass over the nodes in order, which stays an order in which they can be computed."""

    def __init__(self, model: Any) -> None:
        self.graph = model.graph
        self.weights = {weight.name: weight for weight in self.graph.initializer}
        self.half: dict[str, str] = {}  # a float32 value and its float16 twin
        self.renamed: dict[str, str] = {}
        self.halved_caches: set[str] = set()
        self.codes: set[str] = set()  # floats from INT8: a product of those is in INT8 already
        self.nodes: list[Any] = []

    def run(self) -> None:
        """Rewrite the graph in place."""
        self._pictures()
        for node in list(self.graph.node):
            for i, name in enumerate(node.input):
                node.input[i] = self.renamed.get(name, name)
            self._node(node)
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)
        self._cache_types()
        sweep(self.graph)

    def _pictures(self) -> None:
        """Integer pictures become floats before anything else touches them."""
        for value in self.graph.input:
            if value.type.tensor_type.elem_type == TensorProto.UINT8:
                name = f'{value.name}.float'
                self.renamed[value.name] = name
                self.nodes.append(helper.make_node('Cast', [value.name], [name], to=FLOAT))

    def _node(self, node: Any) -> None:
        if node.op_type == 'Cast' and self._is_half_weight(node):
            self.half[node.output[0]] = node.input[0]
        if node.op_type == CACHES:
            self.halved_caches |= {node.input[0], node.output[0]}
            node.input[1] = self._narrow(node.input[1])
            self.half[node.output[0]] = node.output[0]
        if node.op_type == 'DequantizeLinear':
            self.codes.add(node.output[0])
        if node.op_type not in PRODUCTS or node.input[0] in self.codes:
            self.nodes.append(node)
            return
        for i, name in enumerate(node.input):
            node.input[i] = self._narrow(name) if name else name
        (output,) = node.output
        node.output[0] = f'{output}.narrow'
        self.nodes.append(node)
        self.nodes.append(helper.make_node('Cast', [node.output[0]], [output], to=FLOAT))

    def _is_half_weight(self, node: Any) -> bool:
        weight = self.weights.get(node.input[0])
        return weight is not None and weight.data_type == HALF

    def _narrow(self, name: str) -> str:
        """The float16 twin of a float32 value, made where there is none yet."""
        if name not in self.half:
            self.half[name] = f'{name}.f16'
            if name in self.weights:
                values = numpy_helper.to_array(self.weights[name]).astype(np.float16)
                self.graph.initializer.append(numpy_helper.from_array(values, f'{name}.f16'))
            else:
                twin = helper.make_node('Cast', [name], [f'{name}.f16'], to=HALF)
                self.nodes.append(twin)
        return self.half[name]

    def _cache_types(self) -> None:
        for value in (*self.graph.input, *self.graph.output):
            if value.name in self.halved_caches:
                value.type.tensor_type.elem_type = HALF
