"""Checks on the bytes of a model file before a parser may run them (docs/faults.md, row F45)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from alpamayo_ros.faults import Code, Fault

PLAIN_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,63}(\.[A-Za-z0-9_-]{1,16}){1,3}')
SUFFIXES = ('.safetensors', '.onnx', '.json', '.yaml', '.md')
MAX_HEADER = 1 << 20
MAX_FILE = 1 << 34
DOMAINS = ('', 'ai.onnx', 'com.microsoft')
EXTERNAL = 1  # onnx.TensorProto.EXTERNAL


def check_name(name: str) -> Fault | None:
    """Refuse paths, dot files and every kind of file that is not plain data."""
    if not PLAIN_NAME.fullmatch(name) or not name.endswith(SUFFIXES):
        allowed = ' '.join(SUFFIXES)
        return Fault(Code.MODEL_UNSAFE, f'a model holds plain files ({allowed}), not {name!r}')
    return None


def check_bytes(name: str, data: bytes) -> Fault | None:
    """Refuse what a format allows and we do not: huge headers, outside data, custom operators."""
    if name.endswith('.safetensors'):
        return _check_safetensors(name, data)
    if name.endswith('.onnx'):
        return _check_onnx(name, data)
    return None


def _check_safetensors(name: str, data: bytes) -> Fault | None:
    size = int.from_bytes(data[:8], 'little')
    if len(data) < 8 or size > MAX_HEADER or size > len(data) - 8:
        return Fault(
            Code.MODEL_FORMAT,
            f'{name}: its header claims {size} bytes, at most {MAX_HEADER} are allowed',
            {'header_bytes': float(size), 'limit_bytes': float(MAX_HEADER)},
        )
    try:
        header = json.loads(data[8 : 8 + size])
    except ValueError:
        return Fault(Code.MODEL_FORMAT, f'{name}: the header is not JSON')
    if not isinstance(header, dict):
        return Fault(Code.MODEL_FORMAT, f'{name}: the header is not a JSON object')
    return None


def _check_onnx(name: str, data: bytes) -> Fault | None:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        return Fault(Code.MODEL_FORMAT, f'{name} is no ONNX model: {error}')
    graphs = [model.graph, *model.functions]
    for tensor in _tensors(graphs):
        if tensor.data_location == EXTERNAL or tensor.external_data:
            where = {e.key: e.value for e in tensor.external_data}.get('location', '?')
            return Fault(Code.MODEL_UNSAFE, f'{name}: {tensor.name!r} lies outside, in {where!r}')
    for domain in sorted({node.domain for node in _nodes(graphs)}):
        if domain not in DOMAINS and domain not in {f.domain for f in model.functions}:
            return Fault(Code.MODEL_UNSAFE, f'{name} needs operators of {domain!r}')
    return None


def _subgraphs(attribute: Any) -> list[Any]:
    return [*attribute.graphs, *([attribute.g] if attribute.HasField('g') else [])]


def _nodes(graphs: list[Any]) -> Iterator[Any]:
    for graph in graphs:
        for node in graph.node:
            yield node
            for attribute in node.attribute:
                yield from _nodes(_subgraphs(attribute))


def _tensors(graphs: list[Any]) -> Iterator[Any]:
    for graph in graphs:
        yield from getattr(graph, 'initializer', ())
        for sparse in getattr(graph, 'sparse_initializer', ()):
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)
                yield from _tensors(_subgraphs(attribute))
