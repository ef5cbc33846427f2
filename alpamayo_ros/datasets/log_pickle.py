"""Reads a pickle as data: numbers, text, lists, dicts and numpy arrays.

A pickle is a program for a small stack machine, and Python's own machine may call anything that
the file names.  Here nothing is ever imported or called: only the instructions that build data are
known, and of names those that numpy's arrays and plain containers need; the arrays are made here
from their bytes.  All else is refused by name and offset before it has any effect.
"""

from __future__ import annotations

import pickletools  # splits the bytes into instructions; runs none of them
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alpamayo_ros.datasets.log_pickle_values import (
    KNOWN,
    Array,
    Name,
    PickleError,
    Type,
    array,
    keys,
    made,
    plain,
)

MAX_BYTES = 256 << 20
MAX_INSTRUCTIONS = 20_000_000
MAX_STACK = 1_000_000


_MARK = object()
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
        return plain(self.stack[0])

    def since_mark(self) -> list[Any]:
        """Everything above the topmost mark, taken off with it."""
        for k in range(len(self.stack) - 1, -1, -1):
            if self.stack[k] is _MARK:
                items = [plain(v) for v in self.stack[k + 1 :]]
                del self.stack[k:]
                return items
        raise PickleError('a mark is missing')

    def take(self, count: int) -> list[Any]:
        """The top values, bottom first."""
        if len(self.stack) < count:
            raise PickleError('the stack is too short')
        items = [plain(v) for v in self.stack[-count:]]
        del self.stack[-count:]
        return items

    def name(self, module: str, name: str) -> None:
        """A global: a label, if it is one of the few that data need."""
        module = module.replace('numpy._core', 'numpy.core').replace('__builtin__', 'builtins')
        if f'{module}.{name}' not in KNOWN:
            raise PickleError(f'{module}.{name} is refused: only numbers, text, lists, dicts '
                              'and numpy arrays are read')  # fmt: skip
        self.stack.append(Name(module, name))

    def stack_global(self) -> None:
        """A global whose names are on the stack."""
        module, name = self.take(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError('a global without a name')
        self.name(module, name)

    def reduce(self) -> None:
        """What the file wants called: only the makers of arrays, and those are ours."""
        function, arguments = self.take(2)
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise PickleError('REDUCE of something that is no known maker')
        self.stack.append(made(f'{function.module}.{function.name}', arguments))

    def build(self) -> None:
        """State for an array or a dtype."""
        (state,) = self.take(1)
        target = self.stack[-1]
        if not isinstance(state, tuple):
            raise PickleError('BUILD without a tuple')
        if isinstance(target, Array) and len(state) == 5:
            _, shape, kind, fortran, data = state
            target.value = array(shape, kind, bool(fortran), data)
        elif isinstance(target, Type) and len(state) >= 2 and state[3:5] in ((), (None, None)):
            target.order = str(state[1])
        else:
            raise PickleError('BUILD of something else than a plain numpy array')


def _put(machine: _Machine, key: int) -> None:
    machine.memo[key] = machine.stack[-1]


def _pairs(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, dict) or len(items) % 2:
        raise PickleError('SETITEMS without a dict')
    target.update(zip(keys(items[::2]), items[1::2], strict=True))


def _dict(machine: _Machine, items: list[Any]) -> None:
    machine.stack.append({})
    _pairs(machine, items)


def _more(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, set):
        target.update(keys(items))
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
    'FROZENSET': lambda m, _: _push(m, frozenset(keys(m.since_mark()))),
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
