"""Mutants of a Python source: each is one small change that some test should notice.

What is left alone: annotations, decorators, docstrings, the words of messages, and what only
asserts (``assert``, ``strict`` of ``zip``).
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
TWINS = {'min': 'max', 'minimum': 'maximum', 'all': 'any', 'floor': 'ceil'}
TWINS |= {other: name for name, other in TWINS.items()}
TRANSPARENT = ('abs', 'sorted')  # calls that the argument may stand for
LEFT_OUT = ast.Starred(ast.Tuple([], ast.Load()), ast.Load())
Key = tuple[str, str, str, int]
SHOWN = 90  # columns of the expression in which a change is shown


@dataclass(frozen=True)
class Mutant:
    """One change: ``before`` became ``after`` in ``function`` at ``line``.

    ``nth`` counts equal changes of one function, from 0.
    """

    line: int
    function: str
    before: str
    after: str
    nth: int
    place: Place = field(repr=False, compare=False)
    replacement: ast.AST = field(repr=False, compare=False)

    @property
    def key(self) -> Key:
        """What names it while lines above it come and go."""
        return self.function, self.before, self.after, self.nth


class Source:
    """A file of Python and its mutants, in the order of its lines."""

    def __init__(self, path: Path) -> None:
        """Read and take apart."""
        self.path, self.tree = path, ast.parse(path.read_text())
        self.mutants = mutants(self.tree)

    def code(self, mutant: Mutant | None) -> CodeType:
        """What runs in place of the file; without a mutant the file as it is."""
        if mutant is not None:
            mutant.place.put(mutant.replacement)  # for good: this process tries no other
        return compile(ast.fix_missing_locations(self.tree), str(self.path), 'exec')


@dataclass(frozen=True)
class Place:
    """Where a node hangs: a field of its parent, or an entry of a list there."""

    parent: ast.AST
    name: str
    index: int | None

    @property
    def node(self) -> ast.AST:
        """What hangs there."""
        value = getattr(self.parent, self.name)
        return value if self.index is None else value[self.index]

    def put(self, node: ast.AST) -> None:
        """Hang ``node`` there."""
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node

    def holding(self, node: ast.AST) -> _Held:
        """A context in which ``node`` hangs there."""
        return _Held(self, node)


class _Held:
    def __init__(self, place: Place, node: ast.AST) -> None:
        self.place, self.node, self.before = place, node, place.node

    def __enter__(self) -> None:
        self.place.put(self.node)

    def __exit__(self, *_: object) -> None:
        self.place.put(self.before)


def mutants(tree: ast.Module) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    members = _members(tree)
    found, seen = [], Counter[tuple[str, str, str]]()
    for place, function, shown in _places(tree, '', None):
        for replacement in _changes(place, members):
            around = shown if shown is not None and shown is not place.node else None
            before = _words(around or place.node)
            with place.holding(replacement):
                after = _words(around or replacement)
            line = getattr(place.node, 'lineno', 0)
            nth = seen[function, before, after]
            seen[function, before, after] += 1
            found.append(Mutant(line, function, before, after, nth, place, replacement))
    return sorted(found, key=lambda m: m.line)


def _words(node: ast.AST) -> str:
    """A node as text on one line."""
    return 'left out' if node is LEFT_OUT else ' '.join(ast.unparse(node).split())


def _places(
    node: ast.AST, function: str, shown: ast.AST | None
) -> Iterator[tuple[Place, str, ast.AST | None]]:
    """Every node that may change, its function, and the expression around it that is shown."""
    for name, value in ast.iter_fields(node):
        if _left_alone(node, name):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            inner = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f'{function}.{child.name}'.lstrip('.')
            around = shown if shown is not None else child if _fits(child) else None
            yield Place(node, name, index if isinstance(value, list) else None), inner, around
            yield from _places(child, inner, around)


def _left_alone(node: ast.AST, name: str) -> bool:
    if name in ('annotation', 'returns', 'decorator_list'):
        return True
    if isinstance(node, ast.Assert | ast.JoinedStr):
        return True
    return _called(node) in ('TypeVar', 'field') or (_called(node) == 'zip' and name == 'keywords')


def _called(node: ast.AST) -> str:
    """Name of what a call calls; '' for what is none."""
    if not isinstance(node, ast.Call):
        return ''
    return getattr(node.func, 'id', getattr(node.func, 'attr', ''))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _fits(node: ast.AST) -> bool:
    """Whether a change in a node is shown with all of it: short, and no statement with a body."""
    if not isinstance(node, ast.expr | ast.stmt) or hasattr(node, 'body'):
        return False
    return len(ast.unparse(node)) <= SHOWN


def _members(tree: ast.Module) -> dict[str, list[str]]:
    """Enumerations by the members that a module uses: Code -> ODOM_GAP, PLAN_STALE, ..."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr.isupper() and node.value.id[0].isupper():
                found.setdefault(node.value.id, set()).add(node.attr)
    return {name: sorted(members) for name, members in found.items()}


def _changes(place: Place, members: dict[str, list[str]]) -> Iterator[ast.AST]:
    """What may stand in place of a node."""
    node = place.node
    if place.name == 'test' or (place.name == 'ifs'):
        loops = isinstance(place.parent, ast.While)
        yield from (ast.Constant(value) for value in ((False,) if loops else (False, True)))
    if place.name == 'elts' and _may_lack_one(place.parent):
        yield LEFT_OUT
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.expr):
        yield from _expressions(node, members)


def _may_lack_one(parent: ast.AST) -> bool:
    """Whether a display without one of its elements still makes sense: not an unpacked tuple."""
    if isinstance(parent, ast.Tuple):
        return isinstance(parent.ctx, ast.Load) and len(parent.elts) > 2
    return isinstance(parent, ast.List | ast.Set)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.AugAssign):
        yield ast.Pass()
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript):
        yield ast.Pass()
    if isinstance(node, ast.Continue):
        yield ast.Break()


def _expressions(node: ast.expr, members: dict[str, list[str]]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            ops = [*node.ops[:i], COMPARISONS[type(operator)](), *node.ops[i + 1 :]]
            yield _like(node, ops=ops)
    elif isinstance(node, ast.BoolOp):
        yield _like(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for i in range(len(node.values)):
            kept = [*node.values[:i], *node.values[i + 1 :]]
            yield kept[0] if len(kept) == 1 else _like(node, values=kept)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield _like(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.Constant):
        yield from _numbers(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        others = members.get(node.value.id, [])
        if node.attr in others and len(others) > 1:
            yield _like(node, attr=others[(others.index(node.attr) + 1) % len(others)])


def _numbers(value: Any) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, float):
        yield ast.Constant(2 * value if value else 1.0)


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    name = _called(node)
    if name in TWINS:
        given = {'id': TWINS[name]} if isinstance(node.func, ast.Name) else {'attr': TWINS[name]}
        yield _like(node, func=_like(node.func, **given))
    if name in TRANSPARENT and node.args:
        yield node.args[0]
    for keyword in () if name == 'zip' else node.keywords:
        yield _like(node, keywords=[k for k in node.keywords if k is not keyword])


def _like(node: ast.expr, **changes: Any) -> Any:
    """A node with other fields."""
    other = copy.copy(node)
    for name, value in changes.items():
        setattr(other, name, value)
    return other
