"""Checks on the bytes of a model file before a parser may run them (docs/faults.md, row F45)."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alpamayo_ros.faults import Code, Fault

PLAIN_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,63}(\.[A-Za-z0-9_-]{1,16}){1,3}')
SUFFIXES = ('.safetensors', '.onnx', '.data', '.json', '.yaml', '.md')
# Pickles and what holds them, libraries, and compiled engines: each runs what it holds.
RUNS_CODE = tuple(
    '.pt .pth .pkl .pickle .dill .joblib .ckpt .bin .npy .npz .h5 .hdf5 .keras .pb .mar'
    ' .so .py .pyc .engine .plan .trt'.split()
)
MOST_ENTRIES = 10_000
MAX_HEADER = 1 << 20
MAX_FILE = 1 << 34
MAX_MODEL = 2 * MAX_FILE  # of all files together, which are held in memory
DOMAINS = ('', 'ai.onnx', 'com.microsoft')
EXTERNAL = 1  # onnx.TensorProto.EXTERNAL
PLACE = ('location', 'offset', 'length')  # of weights in the file beside a graph
ITEM_BYTES = {  # of onnx.TensorProto.DataType: what has whole bytes a number
    1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2,
}  # fmt: skip
LOADS_FILES = ('EPContext',)  # its documented use is to load a compiled engine by path


def read_file(folder: Path, directory: int, name: str, limit: int) -> bytes | Fault:
    """A plain file of an opened directory, of at most ``limit`` bytes; no link is followed."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(name, flags, dir_fd=directory)
    except FileNotFoundError:
        return Fault(Code.MODEL_MISSING, f'{folder} has no {name}')
    except OSError as error:
        return Fault(Code.MODEL_UNSAFE, f'{folder / name} is no plain file: {error.strerror}')
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return Fault(Code.MODEL_UNSAFE, f'{folder / name} is no plain file')
    with os.fdopen(descriptor, 'rb') as file:
        data = file.read(min(limit, status.st_size) + 1)  # what is there, not what is claimed
    if len(data) > limit:
        numbers = {'limit_bytes': float(limit)}
        return Fault(Code.MODEL_HASH, f'{folder / name} is longer than expected', numbers)
    return data


def data_file(graph: str) -> str:
    """Where the weights of a graph beyond protobuf's 2 GiB lie: ``decode.data``."""
    return f'{graph.removesuffix(".onnx")}.data'


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


def strict_json(data: bytes) -> Any:
    """The value of a JSON text; ValueError for doubled keys, NaN and endless nesting too."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) != len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise ValueError(f'the key {twice[:80]!r} stands in it twice')
        return out

    def refused(constant: str) -> Any:
        raise ValueError(f'{constant} is no number of JSON')

    try:
        return json.loads(data, object_pairs_hook=once, parse_constant=refused)
    except RecursionError:
        raise ValueError('it is nested without end') from None


def _check_safetensors(name: str, data: bytes) -> Fault | None:
    size = int.from_bytes(data[:8], 'little')
    if len(data) < 8 or size > MAX_HEADER or size > len(data) - 8:
        return Fault(
            Code.MODEL_FORMAT,
            f'{name}: its header claims {size} bytes, at most {MAX_HEADER} are allowed',
            {'header_bytes': float(size), 'limit_bytes': float(MAX_HEADER)},
        )
    try:
        header = strict_json(data[8 : 8 + size])
    except ValueError as error:
        return Fault(Code.MODEL_FORMAT, f'{name}: the header is not JSON: {error}')
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
    own = {function.domain for function in model.functions}
    beside = {t.name for t in model.graph.initializer if _beside(name, t) is not None}
    seen = 0
    for part in _parts(model):
        kind = part.DESCRIPTOR.name
        if kind == 'TensorProto' and (part.data_location == EXTERNAL or part.external_data):
            seen += 1
            if seen <= len(beside) and part.name in beside and _beside(name, part) is not None:
                continue
            where = {e.key: e.value for e in part.external_data}.get('location', '?')
            return Fault(Code.MODEL_UNSAFE, f'{name}: {part.name!r} lies outside, in {where!r}')
        if kind == 'NodeProto' and part.domain not in DOMAINS and part.domain not in own:
            return Fault(Code.MODEL_UNSAFE, f'{name} needs operators of {part.domain!r}')
        if kind == 'NodeProto' and part.op_type in LOADS_FILES:
            return Fault(Code.MODEL_UNSAFE, f'{name}: {part.op_type} loads a file of its own')
    return None


def check_beside(name: str, data: bytes, beside: bytes | None) -> Fault | None:
    """Refuse weights that are not one behind the other in the verified file beside their graph.

    Each is as long as its shape says, so together they take no more memory than the file.
    """
    if b'location' not in data:
        return None
    import onnx

    end = 0
    for tensor in onnx.ModelProto.FromString(data).graph.initializer:
        place = _beside(name, tensor)
        if place is None:
            continue
        if beside is None:
            text = f'{name} has its weights in {data_file(name)}, which the manifest does not list'
            return Fault(Code.MODEL_MISSING, text)
        if place != (end, _size(tensor)):
            text = (
                f'{name}: {tensor.name!r} has {place[1]} bytes from {place[0]} on in '
                f'{data_file(name)}, expected {_size(tensor)} from {end} on; export the model anew'
            )
            return Fault(Code.MODEL_FORMAT, text)
        end = sum(place)
    if beside is not None and end > len(beside):
        text = f'{name}: weights end at byte {end} of {data_file(name)}, it has {len(beside)}'
        return Fault(Code.MODEL_FORMAT, text)
    return None


def _size(tensor: Any) -> int:
    """Bytes of a weight by its shape and type; -1, which no weight has, where it has no size."""
    known = all(size > 0 for size in tensor.dims) and tensor.data_type in ITEM_BYTES
    return math.prod(tensor.dims) * ITEM_BYTES[tensor.data_type] if known else -1


def _beside(name: str, tensor: Any) -> tuple[int, int] | None:
    """Offset and length of a weight beside its graph; None for one that lies anywhere else."""
    place = {entry.key: entry.value for entry in tensor.external_data}
    if (
        tensor.data_location != EXTERNAL
        or tuple(place) != PLACE
        or len(place) != len(tensor.external_data)
    ):
        return None
    numbers = place['offset'], place['length']
    plain = all(text.isascii() and text.isdigit() and len(text) < 16 for text in numbers)
    if not plain or place['location'] != data_file(name):
        return None
    return int(numbers[0]), int(numbers[1])


def _parts(message: Any) -> Iterator[Any]:
    """A protobuf message and every message inside it, in whichever field it stands."""
    from google.protobuf.message import Message

    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if isinstance(value, Message) else value:
                yield from _parts(part)


def stray(folder: Path, directory: int) -> Fault | None:
    """Refuse a link, and what could run, beside the listed files or below."""
    seen = 0
    for place, folders, files, opened in os.fwalk('.', dir_fd=directory):
        seen += len(folders) + len(files)
        if seen > MOST_ENTRIES:
            return Fault(Code.MODEL_UNSAFE, f'{folder} holds more than {MOST_ENTRIES} files')
        for name in sorted([*folders, *files]):
            where = os.path.normpath(os.path.join(place, name))
            if _is_link(name, opened):
                text = f'{folder} holds the link {where}; expected plain files alone'
                return Fault(Code.MODEL_UNSAFE, text)
            if name.lower().endswith(RUNS_CODE):
                text = f'{folder} holds {where}, a kind of file that can run code'
                return Fault(Code.MODEL_UNSAFE, text)
    return None


def _is_link(name: str, directory: int) -> bool:
    """Whether an entry of an opened directory is a link; one that is gone by now is none."""
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=directory).st_mode)
    except FileNotFoundError:
        return False
