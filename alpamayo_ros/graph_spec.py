"""What a graph of processes is made of: nodes, names, the map of topics, how a node is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from alpamayo_ros.graph_options import Value
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.yaml_file import read_yaml

PACKAGE = 'alpamayo_ros'
NAMESPACE = '/alpamayo'
PROXY = 'fault_proxy'
RESPAWN_DELAY_S = 1.0  # before a node that died is started again
TOPIC = re.compile(r'(~/|/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)  # as rcl takes them
Pairs = tuple[tuple[str, Value], ...]  # names and values of parameters
OUR_WORDS = (
    'chain_of_causation'  # ``reasoning`` beside Autoware, whose subscribers expect a String
)


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One process.

    ``respawn``: start it again when it dies; ``ends_graph``: its exit stops the graph;
    ``secured``: it takes its identity from the keystore.
    """

    name: str
    parameters: Pairs = ()
    remappings: tuple[tuple[str, str], ...] = ()
    respawn: bool = True
    ends_graph: bool = False
    namespace: str = NAMESPACE
    secured: bool = False

    @property
    def enclave(self) -> str:
        """Path of its identity in a keystore of SROS 2."""
        return f'{self.namespace}/{self.name}'

    @property
    def executable(self) -> str:
        """Name for ``ros2 run`` and of the module in ``alpamayo_ros.nodes``."""
        return self.name


@dataclass(frozen=True, slots=True)
class Graph:
    """A set of nodes, the parameter files they all read (later wins) and their environment."""

    name: str
    nodes: tuple[NodeSpec, ...]
    parameter_files: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


def faulty(topic: str) -> str:
    """Where ``fault_proxy`` says a topic again, for the nodes that drive."""
    full = topic if topic.startswith('/') else f'{NAMESPACE}/{topic}'
    return f'{NAMESPACE}/faulty{full}'


def topic_map(path: str) -> tuple[tuple[str, str], ...]:
    """Remappings of a YAML file ``name: topic``; '' gives none.

    Anything but text to text is refused, and a topic that ROS would not take.
    """
    if not path:
        return ()
    found = read_yaml(path) or {}
    if not isinstance(found, Mapping) or not all(
        isinstance(x, str) for p in found.items() for x in p
    ):
        raise ConfigError(
            f'{path}: expected lines "name: topic", for example "odometry: /localization/odom"'
        )
    for name, topic in found.items():
        if wrong := not_a_topic(topic):
            raise ConfigError(f'{path}: {name}: {wrong}')
    return tuple((str(name), str(topic)) for name, topic in found.items())


def not_a_topic(name: str) -> str:
    """Why ROS takes no topic of this name, or ''."""
    if TOPIC.fullmatch(name):
        return ''
    form = 'letters, digits and _ in parts between /, none of which begins with a digit'
    return f'{name!r} is no name of a topic: expected {form}'


def parameter_text(node: NodeSpec) -> str:
    """The node's own parameters as a parameter file, under its full name as launch_ros does.

    ``-p`` would not do: rcl lets any entry of a file that names the node win over it.
    """
    tree = {f'{node.namespace}/{node.name}': {'ros__parameters': dict(node.parameters)}}
    return yaml.safe_dump(tree)


def ros_arguments(node: NodeSpec, graph: Graph, own_file: str) -> list[str]:
    """The ``--ros-args`` that start ``node``; ``own_file`` holds its ``parameter_text``."""
    words = ['--ros-args', '-r', f'__node:={node.name}', '-r', f'__ns:={node.namespace}']
    for file in (*graph.parameter_files, own_file):
        words += ['--params-file', file]
    for source, target in node.remappings:
        words += ['-r', f'{source}:={target}']
    return [*words, '--enclave', node.enclave] if node.secured else words
