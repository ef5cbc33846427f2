"""Whether a graph may start secured: enforcement on, a keystore there, and complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from alpamayo_ros.graph_spec import Graph

ENABLE, STRATEGY, KEYSTORE = (
    'ROS_SECURITY_ENABLE',
    'ROS_SECURITY_STRATEGY',
    'ROS_SECURITY_KEYSTORE',
)
OVERRIDE = 'ROS_SECURITY_ENCLAVE_OVERRIDE'
# What rcl looks for in an enclave's folder (rcl/src/rcl/security.c).
FILES = (
    'identity_ca.cert.pem',
    'permissions_ca.cert.pem',
    'cert.pem',
    'key.pem',
    'governance.p7s',
    'permissions.p7s',
)


class NotSecuredError(RuntimeError):
    """A secured graph refuses to start; the text says what was expected, what came, what to do."""


def secured(graph: Graph, environment: Mapping[str, str]) -> Graph:
    """``graph`` with each process in its enclave; NotSecuredError unless all of it is enforced."""
    wrong = refusals((node.enclave for node in graph.nodes), environment)
    if wrong:
        raise NotSecuredError('the secured graph refuses to start:\n  ' + '\n  '.join(wrong))
    nodes = tuple(replace(node, secured=True) for node in graph.nodes)
    return replace(graph, nodes=nodes)


def refusals(enclaves: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Every reason why the enclaves may not start; empty where all is enforced."""
    found = [
        f'{name} is {environment.get(name, "")!r}, expected {wanted!r}; '
        f'type: export {name}={wanted}'
        for name, wanted in ((ENABLE, 'true'), (STRATEGY, 'Enforce'))
        if environment.get(name) != wanted
    ]
    if environment.get(OVERRIDE):
        text = f'{OVERRIDE} is {environment[OVERRIDE]!r}, which puts every node into one enclave'
        found.append(f'{text}; type: unset {OVERRIDE}')
    return found + _keystore(enclaves, environment.get(KEYSTORE, ''))


def _keystore(enclaves: Iterable[str], keystore: str) -> list[str]:
    """What is missing in the keystore."""
    make = 'make one with alpamayo security keystore FOLDER'
    if not keystore:
        return [f'{KEYSTORE} is not set, expected the folder of a keystore; {make}']
    if not Path(keystore).is_dir():
        return [f'{KEYSTORE} is {keystore!r}, which is no folder; {make}']
    found = []
    for path in enclaves:
        folder = Path(keystore) / 'enclaves' / path.lstrip('/')
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            found.append(f'{folder} has no {", ".join(missing)}; {make}')
    return found
