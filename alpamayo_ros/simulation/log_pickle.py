"""Reads a pickle as data: numbers, text, lists, dicts and numpy arrays; nothing is ever imported
or called.

A pickle is a program for a small stack machine, and Python's own machine may call anything that
the file names.  This one knows only the instructions that build data.  Of names it knows those
that numpy's arrays and plain containers need, and makes the arrays itself from their bytes.  All
else is refused by name and offset before it has any effect.
"""

from __future__ import annotations

import pickletools  # splits the bytes into instructions; runs none of them
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MAX_BYTES = 256 << 20
MAX_INSTRUCTIONS = 20_000_000
MAX_STACK = 1_000_000
MAX_DIMENSIONS = 6


class PickleError(ValueError):
    """A pickle with something else than data in it, or a broken one."""


@dataclass(frozen=True, slots=True)
class _Name:
    """Something the file names; only a label here."""

    module: str
    name: str


@dataclass(slots=True)
class _Array:
    """An array whose bytes are still to come (BUILD)."""

    value: np.ndarray | None = None


@dataclass(slots=True)
class _Type:
    """A numpy dtype: 'f8' and its byte order."""

    code: str
    order: str = '='


_MARK = object()
_RECONSTRUCT = 'numpy.core.multiarray._reconstruct'
_SCALAR = 'numpy.core.multiarray.scalar'
_BUFFER = 'numpy.core.numeric._frombuffer'
_ENCODE, _SET, _BYTES = '_codecs.encode', 'builtins.set', 'builtins.bytes'
_CONTAINERS: dict[str, Callable[[], Any]] = {
    'collections.defaultdict': dict,
    'collections.OrderedDict': dict,
}
_KNOWN = {_RECONSTRUCT, _SCALAR, _BUFFER, _ENCODE, 'numpy.ndarray', 'numpy.dtype', *_CONTAINERS}
_KNOWN |= {
    f'builtins.{t}' for t in ('int', 'long', 'float', 'str', 'list', 'dict', 'set', 'bytes')
}
_LITERALS = {
    'INT', 'LONG', 'LONG1', 'LONG4', 'BININT', 'BININT1', 'BININT2', 'FLOAT', 'BINFLOAT',
    'STRING', 'BINSTRING', 'SHORT_BINSTRING', 'UNICODE', 'BINUNICODE', 'SHORT_BINUNICODE',
    'BINUNICODE8', 'BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8', 'BYTEARRAY8',
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    'NONE': lambda: None,
    'NEWTRUE': lambda: True,
    'NEWFALSE': lambda: False,
    'EMPTY_LIST': list,
    'EMPTY_DICT': dict,
    'EMPTY_TUPLE': tuple,
    'EMPTY_SET': set,
    'MARK': lambda: _MARK,
}
_IGNORED = {'PROTO', 'FRAME'}


def read_pickle(path: Path) -> Any:
    """The data of a pickle file; PickleError for anything that is not data, with its offset."""
    if (size := path.stat().st_size) > MAX_BYTES:
        raise PickleError(f'{path}: {size} bytes; expected at most {MAX_BYTES}')
    return parse_pickle(path.read_bytes(), str(path))


def parse_pickle(data: bytes, what: str = 'pickle') -> Any:
    """``read_pickle`` of bytes."""
    machine, at, count = _Machine(), 0, 0
    try:
        for op, argument, offset in pickletools.genops(data):
            at, count = offset or 0, count + 1
            if count > MAX_INSTRUCTIONS or len(machine.stack) > MAX_STACK:
                raise PickleError('too many instructions')
            if op.name == 'STOP':
                return machine.result()
            machine.do(op.name, argument)
    except PickleError as error:
        raise PickleError(f'{what}, offset {at}: {error}') from None
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise PickleError(f'{what}, offset {at}: not a sound pickle ({error})') from None
    raise PickleError(f'{what}: ends without a STOP')


class _Machine:
    """Stack and memo; ``do`` takes one instruction."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def do(self, name: str, argument: Any) -> None:
        """Perform one instruction."""
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        else:
            raise PickleError(f'instruction {name} is refused: it builds more than data')

    def result(self) -> Any:
        """What is left at the end."""
        if len(self.stack) != 1:
            raise PickleError(f'{len(self.stack)} values at the end, expected 1')
        return _plain(self.stack[0])

    def since_mark(self) -> list[Any]:
        """Everything above the topmost mark, taken off with it."""
        for k in range(len(self.stack) - 1, -1, -1):
            if self.stack[k] is _MARK:
                items = [_plain(v) for v in self.stack[k + 1 :]]
                del self.stack[k:]
                return items
        raise PickleError('a mark is missing')

    def take(self, count: int) -> list[Any]:
        """The top values, bottom first."""
        if len(self.stack) < count:
            raise PickleError('the stack is too short')
        items = [_plain(v) for v in self.stack[-count:]]
        del self.stack[-count:]
        return items

    def name(self, module: str, name: str) -> None:
        """A global: a label, if it is one of the few that data need."""
        module = module.replace('numpy._core', 'numpy.core').replace('__builtin__', 'builtins')
        if f'{module}.{name}' not in _KNOWN:
            raise PickleError(f'{module}.{name} is refused: only numbers, text, lists, dicts '
                              'and numpy arrays are read')  # fmt: skip
        self.stack.append(_Name(module, name))

    def stack_global(self) -> None:
        """A global whose names are on the stack."""
        module, name = self.take(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError('a global without a name')
        self.name(module, name)

    def reduce(self) -> None:
        """What the file wants called: only the makers of arrays, and those are ours."""
        function, arguments = self.take(2)
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise PickleError('REDUCE of something that is no known maker')
        self.stack.append(_made(f'{function.module}.{function.name}', arguments))

    def build(self) -> None:
        """State for an array or a dtype."""
        (state,) = self.take(1)
        target = self.stack[-1]
        if not isinstance(state, tuple):
            raise PickleError('BUILD without a tuple')
        if isinstance(target, _Array) and len(state) == 5:
            _, shape, kind, fortran, data = state
            target.value = _array(shape, kind, bool(fortran), data)
        elif isinstance(target, _Type) and len(state) >= 2 and state[3:5] in ((), (None, None)):
            target.order = str(state[1])
        else:
            raise PickleError('BUILD of something else than a plain numpy array')


def _made(name: str, arguments: tuple[Any, ...]) -> Any:
    """What a call by this name would have made of these arguments; PickleError for any other."""
    if name == _RECONSTRUCT:
        return _Array()
    if name == 'numpy.dtype':
        return _Type(str(arguments[0]))
    if name == _SCALAR:
        kind, data = arguments
        return _array((1,), kind, False, data)[0].item()
    if name == _BUFFER:
        data, kind, shape, order = arguments
        return _array(shape, kind, order == 'F', data)
    if name == _ENCODE and arguments[1:] == ('latin1',) and isinstance(arguments[0], str):
        return arguments[0].encode('latin1')
    if name == _BYTES and not arguments:
        return b''
    if name == _SET and len(arguments) == 1 and isinstance(arguments[0], list):
        return set(_keys(arguments[0]))
    if name in _CONTAINERS:
        return _CONTAINERS[name]()
    raise PickleError(f'a call of {name} is refused')


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, _Array) and value.value is not None else value


def _array(shape: Any, kind: Any, fortran: bool, data: Any) -> np.ndarray:
    """An array from bytes; only bool, integers, floats and text."""
    if not isinstance(kind, _Type) or kind.code[:1] not in 'biufSU' or not kind.code[1:].isdigit():
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


def _put(machine: _Machine, key: int) -> None:
    machine.memo[key] = machine.stack[-1]


def _pairs(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, dict) or len(items) % 2:
        raise PickleError('SETITEMS without a dict')
    target.update(zip(_keys(items[::2]), items[1::2], strict=True))


def _dict(machine: _Machine, items: list[Any]) -> None:
    machine.stack.append({})
    _pairs(machine, items)


def _keys(items: list[Any]) -> list[Any]:
    """Keys and members of sets: plain values only, because hashing nested ones nests too."""
    for item in items:
        if not isinstance(item, str | int | float | bytes | None):
            raise PickleError(f'a key that is a {type(item).__name__} is refused')
    return items


def _more(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, set):
        target.update(_keys(items))
    else:
        raise PickleError('items without a list')


def _push(machine: _Machine, value: Any) -> None:
    machine.stack.append(value)


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    'MEMOIZE': lambda m, _: _put(m, len(m.memo)),
    'PUT': lambda m, a: _put(m, int(a)),
    'BINPUT': lambda m, a: _put(m, int(a)),
    'LONG_BINPUT': lambda m, a: _put(m, int(a)),
    'GET': lambda m, a: _push(m, m.memo[int(a)]),
    'BINGET': lambda m, a: _push(m, m.memo[int(a)]),
    'LONG_BINGET': lambda m, a: _push(m, m.memo[int(a)]),
    'POP': lambda m, _: None if m.take(1) else None,
    'DUP': lambda m, _: _push(m, m.stack[-1]),
    'POP_MARK': lambda m, _: None if m.since_mark() else None,
    'TUPLE': lambda m, _: _push(m, tuple(m.since_mark())),
    'TUPLE1': lambda m, _: _push(m, tuple(m.take(1))),
    'TUPLE2': lambda m, _: _push(m, tuple(m.take(2))),
    'TUPLE3': lambda m, _: _push(m, tuple(m.take(3))),
    'LIST': lambda m, _: _push(m, m.since_mark()),
    'DICT': lambda m, _: _dict(m, m.since_mark()),
    'FROZENSET': lambda m, _: _push(m, frozenset(_keys(m.since_mark()))),
    'APPEND': lambda m, _: _more(m, m.take(1)),
    'APPENDS': lambda m, _: _more(m, m.since_mark()),
    'ADDITEMS': lambda m, _: _more(m, m.since_mark()),
    'SETITEM': lambda m, _: _pairs(m, m.take(2)),
    'SETITEMS': lambda m, _: _pairs(m, m.since_mark()),
    'GLOBAL': lambda m, a: m.name(*str(a).rsplit(' ', 1)),
    'STACK_GLOBAL': lambda m, _: m.stack_global(),
    'REDUCE': lambda m, _: m.reduce(),
    'BUILD': lambda m, _: m.build(),
}
