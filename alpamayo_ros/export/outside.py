"""Graphs beyond protobuf's 2 GiB: their weights lie in one file beside them.

``decode.onnx`` then has its weights in ``decode.data``, one behind the other in the order of the
graph; the manifest has the hash of both, and parsers get the bytes that were hashed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto

from alpamayo_ros.runtime.file_gate import data_file

MAX_PROTOBUF = 1 << 31  # bytes that protobuf writes in one piece
APART = 1024  # bytes; a smaller tensor stays in the graph, where operators read it as a shape


def weight_bytes(model: Any) -> int:
    """Size of the weights of ``model``; all else of a graph is small beside 2 GiB."""
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer)


def check(model: Any, bound: int = MAX_PROTOBUF) -> None:
    """ONNX's own checker, which takes no graph of ``bound`` bytes: then its parser checks it."""
    if weight_bytes(model) < bound:
        onnx.checker.check_model(model)


def take_apart(model: Any, name: str) -> dict[str, bytes]:
    """Take the large weights out of ``model``, which then says where in the file they lie."""
    weights, offset = dict[str, bytes](), 0
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) < APART:
            continue
        weights[tensor.name] = data = tensor.raw_data
        tensor.ClearField('raw_data')
        tensor.data_location = TensorProto.EXTERNAL
        places = {'location': data_file(name), 'offset': offset, 'length': len(data)}
        for key, value in places.items():
            tensor.external_data.add(key=key, value=str(value))
        offset += len(data)
    return weights


def whole(data: bytes, weights: bytes = b'') -> Any:
    """The model of a graph and of the file beside it, both verified; '' where there is none."""
    model = onnx.ModelProto.FromString(data)
    view = memoryview(weights)
    for tensor in _outside(model):
        place = {entry.key: entry.value for entry in tensor.external_data}
        offset = int(place['offset'])
        tensor.raw_data = bytes(view[offset : offset + int(place['length'])])
        del tensor.external_data[:]
        tensor.ClearField('data_location')
    return model


def write(model: Any, folder: Path, name: str, bound: int = MAX_PROTOBUF) -> tuple[str, ...]:
    """Write the graph, below ``bound`` in one file; the names of what was written."""
    if weight_bytes(model) < bound:
        (folder / name).write_bytes(model.SerializeToString(deterministic=True))
        return (name,)
    with (folder / data_file(name)).open('wb') as file:
        file.writelines(take_apart(model, name).values())
    (folder / name).write_bytes(model.SerializeToString(deterministic=True))
    return name, data_file(name)


def _outside(model: Any) -> Iterator[Any]:
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            yield tensor
