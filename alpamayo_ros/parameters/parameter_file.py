"""A parameter file of one's own: nodes and keys of ``config/nodes.param.yaml``, types and bounds.

What is refused here a node would refuse too, when all of them have been started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from alpamayo_ros.config_file import absent, line_of, nearest
from alpamayo_ros.config_file import unknown as no_such
from alpamayo_ros.limits import load_limits
from alpamayo_ros.parameters.of_nodes import COMMON, OF_NODE
from alpamayo_ros.parameters.param import BUILT_IN, problem
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError, NoSuchFileError
from alpamayo_ros.yaml_file import read_yaml

HELD = 'ros__parameters'
EVERY = '**'
Tree = Mapping[str, Any]


def check_parameters(name: str) -> None:
    """Refuse an unknown node or key and a value that does not fit, with the line; '': no file."""
    if not name:
        return
    path = Path(name)
    if not path.is_file():
        raise NoSuchFileError(absent('parameter file', path))
    tree, known = read_yaml(path), _known()
    if not isinstance(tree, Mapping):
        raise ConfigError(f'{path}: expected NODE: {HELD}: with keys and values')
    for loc, values in _nodes(tree, ()):
        _check_node(path, loc, values, known)


def of_node(name: str, node: str) -> dict[str, Any]:
    """The values of a node: as the checked file says, else as the package does; '': no file."""
    found = dict(_known()[node])
    for loc, values in _nodes(read_yaml(name), ()) if name else ():
        found |= values if _name(loc) == node else {}
    return found


def of_planner(name: str) -> dict[str, Any]:
    """The planner's values, as ``of_node``."""
    return of_node(name, 'planner')


def check_effect(name: str, decided: Mapping[str, Tree]) -> None:
    """Refuse a value of the checked file that is without effect.

    ``decided``: by node, what the command says whatever a file says.
    """
    for loc, values in _nodes(read_yaml(name), ()) if name else ():
        nodes = [n for n in decided if _name(loc) in (n, EVERY)]
        for key in [key for key in values if nodes] if isinstance(values, Mapping) else ():
            fixed = [decided[n][key] for n in nodes if key in decided[n]]
            if fixed and values[key] != fixed[0]:
                at = f'{name}:{line_of(Path(name), (*loc, HELD, key))}'
                text = f'{at}: {key} has no effect in a parameter file: the option {key} decides'
                raise ConfigError(f'{text}, which is {fixed[0]!r}; give it to the command')


def changed(name: str) -> list[str]:
    """Nodes of the package to which the checked file says something of its own; '': no file."""
    known = _known()
    found: dict[str, None] = {}
    for loc, values in _nodes(read_yaml(name), ()) if name else ():
        node = _name(loc)
        shipped = {**known[EVERY], **known.get(node, {})}
        if node in OF_NODE and any(shipped.get(k) != v for k, v in values.items()):
            found[node] = None
    return list(found)


def _known() -> dict[str, Tree]:
    """Keys with their values by node; those of ``**`` are every node's.

    ConfigError where the file that ships lacks a node, or the planner a key.
    """
    path = share_dir() / 'config' / 'nodes.param.yaml'
    tree = read_yaml(path)
    nodes = _nodes(tree, ()) if isinstance(tree, Mapping) else ()
    found = {_name(loc): values for loc, values in nodes if isinstance(values, Mapping)}
    lost = [node for node in (EVERY, *OF_NODE) if node not in found]
    own = found.get('planner', {})
    lost += [f'planner.{p.name}' for p in OF_NODE['planner'] if own and p.name not in own]
    if lost:
        text = f'{path} ships with the package and lacks {", ".join(lost)}'
        raise ConfigError(f'{text}: install it again, or: git checkout {quote(str(path))}')
    return found


def _nodes(tree: Tree, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path of keys down to each node and what it holds; None for a value above that."""
    for key, inner in tree.items():
        if key == HELD:
            yield above, inner
        elif isinstance(inner, Mapping):
            yield from _nodes(inner, (*above, str(key)))
        else:
            yield (*above, str(key)), None


def _check_node(path: Path, loc: tuple[str, ...], values: Any, known: dict[str, Tree]) -> None:
    name = _name(loc)
    where = f'{path}:{line_of(path, loc)}'
    if not isinstance(values, Mapping):  # rcl refuses the whole file, for every node
        below = loc[0] if len(loc) == 1 else f'{loc[0]} and above {loc[-1]}'
        raise ConfigError(f'{where}: expected {HELD}: with keys and values below {below}')
    if name in OF_NODE and len('/'.join(loc).strip('/').split('/')) == 1:
        raise ConfigError(f'{where}: {loc[-1]} names no node of a graph; expected /**/{name}')
    if name not in known:
        if close := nearest(name, known):
            raise ConfigError(f'{where}: no node {name!r}{close}')
        return  # a node of the vehicle's own
    for key, value in values.items():
        if key not in BUILT_IN and not str(key).startswith('qos_overrides'):
            wrong = _wrong(name, str(key), value, {**known[EVERY], **known[name]})
            if wrong:
                raise ConfigError(f'{path}:{line_of(path, (*loc, HELD, key))}: {wrong}')


def _name(loc: tuple[str, ...]) -> str:
    """The node that a path of keys names, without its namespace."""
    name = loc[-1].rpartition('/')[2] if loc else ''
    return EVERY if name in ('', '*') else name


def _wrong(node: str, key: str, value: Any, known: Tree) -> str:
    """Why a node would refuse the value, or ''."""
    if key not in known:
        return no_such('parameter', key, known)
    declared = next(p for p in (*COMMON, *OF_NODE.get(node, ())) if p.name == key)
    if wrong := problem(declared, value):
        return wrong
    return _wrong_limits(value) if key == 'limits' and value else ''


def _wrong_limits(name: str) -> str:
    try:
        load_limits(name)
    except FileNotFoundError:
        return f'limits: no file {name}'
    return ''
