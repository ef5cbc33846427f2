"""What a graph of processes is made of: its nodes, their names, and the map of its topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alpamayo_ros.graph_options import Value
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.yaml_file import read_yaml

PACKAGE = 'alpamayo_ros'
NAMESPACE = '/alpamayo'
RESPAWN_DELAY_S = 1.0  # before a node that died is started again
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


def topic_map(path: str) -> tuple[tuple[str, str], ...]:
    """Remappings of a YAML file ``name: topic``; '' gives none.

    Anything but text to text is refused.
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
    return tuple((str(name), str(topic)) for name, topic in found.items())
