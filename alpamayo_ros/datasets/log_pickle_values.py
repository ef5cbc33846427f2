"""What a pickle may hold beside plain values: numpy arrays, made here from their bytes.

Names that a file gives are labels; ``made`` knows what a call by a few of them would have given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_DIMENSIONS = 6


class PickleError(ValueError):
    """A pickle with something else than data in it, or a broken one."""


@dataclass(frozen=True, slots=True)
class Name:
    """Something the file names; only a label here."""

    module: str
    name: str


@dataclass(slots=True)
class Array:
    """An array whose bytes are still to come (BUILD)."""

    value: np.ndarray | None = None


@dataclass(slots=True)
class Type:
    """A numpy dtype: 'f8' and its byte order."""

    code: str
    order: str = '='


_RECONSTRUCT = 'numpy.core.multiarray._reconstruct'
_SCALAR = 'numpy.core.multiarray.scalar'
_BUFFER = 'numpy.core.numeric._frombuffer'
_ENCODE, _SET, _BYTES = '_codecs.encode', 'builtins.set', 'builtins.bytes'
_CONTAINERS: dict[str, Callable[[], Any]] = {
    'collections.defaultdict': dict,
    'collections.OrderedDict': dict,
}
KNOWN = {_RECONSTRUCT, _SCALAR, _BUFFER, _ENCODE, 'numpy.ndarray', 'numpy.dtype', *_CONTAINERS}
KNOWN |= {f'builtins.{t}' for t in ('int', 'long', 'float', 'str', 'list', 'dict', 'set', 'bytes')}


def made(name: str, arguments: tuple[Any, ...]) -> Any:
    """What a call by this name would have made of these arguments; PickleError for any other."""
    if name == _RECONSTRUCT:
        return Array()
    if name == 'numpy.dtype':
        return Type(str(arguments[0]))
    if name == _SCALAR:
        kind, data = arguments
        return array((1,), kind, False, data)[0].item()
    if name == _BUFFER:
        data, kind, shape, order = arguments
        return array(shape, kind, order == 'F', data)
    if name == _ENCODE and arguments[1:] == ('latin1',) and isinstance(arguments[0], str):
        return arguments[0].encode('latin1')
    if name == _BYTES and not arguments:
        return b''
    if name == _SET and len(arguments) == 1 and isinstance(arguments[0], list):
        return set(keys(arguments[0]))
    if name in _CONTAINERS:
        return _CONTAINERS[name]()
    raise PickleError(f'a call of {name} is refused')


def plain(value: Any) -> Any:
    """The value, an array itself where it has got its bytes."""
    return value.value if isinstance(value, Array) and value.value is not None else value


def array(shape: Any, kind: Any, fortran: bool, data: Any) -> np.ndarray:
    """An array from bytes; only bool, integers, floats and text."""
    if not isinstance(kind, Type) or kind.code[:1] not in 'biufSU' or not kind.code[1:].isdigit():
        raise PickleError(f'numpy type {getattr(kind, "code", kind)!r} is refused')
    if isinstance(data, str):
        data = data.encode('latin1')
    if not isinstance(data, bytes | bytearray) or not isinstance(shape, tuple):
        raise PickleError('a numpy array without its bytes')
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise PickleError(f'shape {shape} is refused')
    order = kind.order if kind.order in '<>=' else '='
    dtype = np.dtype((order if kind.code[0] not in 'bS' else '') + kind.code)
    if int(np.prod(shape, dtype=object)) * dtype.itemsize != len(data):
        raise PickleError(f'shape {shape} does not fit {len(data)} bytes')
    if not dtype.itemsize:
        return np.zeros(shape, dtype)
    return np.frombuffer(bytes(data), dtype).reshape(shape, order='F' if fortran else 'C')


def keys(items: list[Any]) -> list[Any]:
    """Keys and members of sets: plain values only, because hashing nested ones nests too."""
    for item in items:
        if not isinstance(item, str | int | float | bytes | None):
            raise PickleError(f'a key that is a {type(item).__name__} is refused')
    return items
