"""Small tools on ONNX graphs: build nodes, inline graphs, store weights in float16."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from alpamayo_ros.export.outside import check

OPSET = 24
IR_VERSION = 11
SMALL = 256  # elements; below this float16 saves nothing


class GraphBuilder:
    """Collects nodes and weights; every method returns the name of the value it made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: dict[str, Any] = {}
        self._count = 0

    def weight(self, name: str, values: NDArray[Any] | np.floating[Any]) -> str:
        """Add a constant, once a name."""
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def integers(self, *values: int) -> str:
        """Add an int64 vector."""
        return self.weight('i_' + '_'.join(map(str, values)), np.array(values, np.int64))

    def node(self, op: str, inputs: Sequence[str], output: str = '', **attributes: Any) -> str:
        """Add one node with one output."""
        self._count += 1
        name = output or f'{op}_{self._count}'
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def inline(
        self, model: Any, prefix: str, inputs: Mapping[str, str], weights: str
    ) -> list[str]:
        """Copy an exported model's nodes in; ``inputs`` maps its inputs to values of this graph.

        Weights are copied under the name ``weights`` once, however often the model is inlined.
        """
        names = dict(inputs)
        for tensor in model.graph.initializer:
            names[tensor.name] = f'{weights}.{tensor.name}'
            if names[tensor.name] not in self.weights:
                copy = onnx.TensorProto()
                copy.CopyFrom(tensor)
                copy.name = names[tensor.name]
                self.weights[copy.name] = copy
        for node in model.graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            for output in node.output:
                names[output] = f'{prefix}.{output}' if output else ''
            del copy.input[:], copy.output[:]
            copy.input.extend(names[i] if i else '' for i in node.input)
            copy.output.extend(names[o] if o else '' for o in node.output)
            copy.name = f'{prefix}.{node.name}' if node.name else ''
            self.nodes.append(copy)
        return [names[o.name] for o in model.graph.output]

    def model(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """The finished, checked model."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.weights.values()))
        opset = helper.make_opsetid('', OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        check(model)
        return model


def tensor(name: str, dtype: int, shape: Sequence[int | str]) -> Any:
    """Type of a graph input or output."""
    return helper.make_tensor_value_info(name, dtype, list(shape))


def store_half(model: Any) -> Any:
    """Store every weight that float16 holds exactly as float16, followed by a Cast to float32.

    Lossless: what float16 cannot hold (folded batch norms, tables) stays as it is.  A runtime
    folds the Casts when it loads the graph.
    """
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < SMALL:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over='ignore'):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f'{name}.half'))
        casts.append(helper.make_node('Cast', [f'{name}.half'], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(nodes)
    return model


def sweep(graph: Any) -> None:
    """Leave out weights that nothing reads any more, and the Casts that read them."""
    read = set(_read(graph))
    kept = [node for node in graph.node if node.op_type != 'Cast' or node.output[0] in read]
    del graph.node[:]
    graph.node.extend(kept)
    read = set(_read(graph))
    weights = [weight for weight in graph.initializer if weight.name in read]
    del graph.initializer[:]
    graph.initializer.extend(weights)


def _read(graph: Any) -> Iterator[str]:
    """Names that a node or an output of the graph reads."""
    for node in graph.node:
        yield from node.input
    yield from (value.name for value in graph.output)
