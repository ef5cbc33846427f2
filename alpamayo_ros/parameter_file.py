"""A parameter file of one's own against ``config/nodes.param.yaml``: nodes, keys and types.

Bounds are those of the nodes, which refuse to configure; here nothing of ROS is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alpamayo_ros.config_file import absent, line_of, nearest
from alpamayo_ros.config_file import unknown as no_such
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError, NoSuchFileError
from alpamayo_ros.yaml_file import read_yaml

HELD = 'ros__parameters'
EVERY = '**'
BUILT_IN = ('use_sim_time', 'start_type_description_service')  # declared by rclpy itself
Tree = Mapping[str, Any]


def check_parameters(name: str) -> None:
    """Refuse an unknown node, key or type, with the line; '' is no file."""
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


def _known() -> dict[str, Tree]:
    """Keys with their values by node; those of ``**`` are every node's."""
    tree = read_yaml(share_dir() / 'config' / 'nodes.param.yaml')
    return {loc[-1].rpartition('/')[2]: values for loc, values in _nodes(tree, ())}


def _nodes(tree: Tree, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path of keys down to each node and what it holds."""
    for key, inner in tree.items():
        if key == HELD:
            yield above, inner
        elif isinstance(inner, Mapping):
            yield from _nodes(inner, (*above, str(key)))
        elif above == ():
            yield (str(key),), inner


def _check_node(path: Path, loc: tuple[str, ...], values: Any, known: dict[str, Tree]) -> None:
    name = loc[-1].rpartition('/')[2] if loc else ''
    if name in ('', '*'):
        name = EVERY
    where = f'{path}:{line_of(path, loc)}'
    if name not in known:
        if close := nearest(name, known):
            raise ConfigError(f'{where}: no node {name!r}{close}')
        return  # a node of the vehicle's own
    if not isinstance(values, Mapping):
        raise ConfigError(f'{where}: expected {HELD}: with keys and values below {loc[-1]}')
    for key, value in values.items():
        at = f'{path}:{line_of(path, (*loc, HELD, key))}'
        _check_value(at, str(key), value, {**known[EVERY], **known[name]})


def _check_value(at: str, key: str, value: Any, known: Tree) -> None:
    if key in BUILT_IN or key.startswith('qos_overrides'):
        return
    if key not in known:
        raise ConfigError(f'{at}: {no_such("parameter", key, known)}')
    wanted = type(known[key])
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        kind = type(value).__name__
        raise ConfigError(f'{at}: {key}: expected {wanted.__name__}, got {kind} {value!r}')
    if wanted is float and not math.isfinite(value):
        raise ConfigError(f'{at}: {key}: expected a finite number, got {value}')
    if key == 'limits' and value:
        _check_limits(at, value)


def _check_limits(at: str, name: str) -> None:
    try:
        load_limits(name)
    except FileNotFoundError as error:
        raise ConfigError(f'{at}: limits: no file {name}') from error
