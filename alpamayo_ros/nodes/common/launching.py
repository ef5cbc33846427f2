"""What the launch files share: a graph of ``bringup`` as a launch description.

``launch`` is imported inside, because it is part of a ROS installation and not on PyPI; there
``alpamayo up`` starts the same graphs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alpamayo_ros.graph_options import Options, choices, parse_options
from alpamayo_ros.graph_spec import PACKAGE, RESPAWN_DELAY_S, Graph, NodeSpec
from alpamayo_ros.parameters.own_file import unread
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.profile import share_dir
from alpamayo_ros.shared_memory import freed
from alpamayo_ros.statuses import ConfigError, Status


def description(graph: Callable[[Options], Graph], name: str = '') -> Any:
    """One launch argument per field of ``Options``, then the processes of the graph.

    ``name``: which of ``bringup.GRAPHS`` it is, where the function is called otherwise.
    """
    from launch.actions import DeclareLaunchArgument, OpaqueFunction
    from launch.substitutions import LaunchConfiguration

    from launch import LaunchDescription  # type: ignore[attr-defined]  # the folder launch/

    names = [choice.name for choice in choices()]

    def started(context: Any) -> list[Any]:
        given = {name: LaunchConfiguration(name).perform(context) for name in names}
        options = checked(name or graph.__name__, {**given, **typed()})
        found = graph(options)
        for text in filter(None, (freed(time.time()), unread(found.name, options))):
            print(text, flush=True)
        return actions(found)

    arguments = [
        DeclareLaunchArgument(c.name, default_value=str(c.default), description=c.sentence)
        for c in choices()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=started)])


def typed() -> dict[str, str]:
    """Arguments of ``ros2 launch alpamayo_ros FILE``; none where another file includes ours."""
    words, ours = sys.argv[1:], {p.name for p in (share_dir() / 'launch').glob('*.launch.py')}
    if not any(Path(word).name in ours for word in words):
        return {}
    return dict(word.split(':=', 1) for word in words if ':=' in word)


def checked(name: str, texts: Mapping[str, str]) -> Options:
    """The options; what is wrong ends launch with a sentence before any process starts."""
    try:
        options = parse_options(texts)
        check_graph(name, options)
    except (ConfigError, OSError) as error:
        print(f'{name}.launch.py: {error}', file=sys.stderr, flush=True)
        raise SystemExit(getattr(error, 'status', Status.ENVIRONMENT)) from None
    return options


def ending(node: NodeSpec) -> Callable[[Any, Any], list[Any] | None]:
    """Launch ends with a node that ends its graph, and with one that refuses to configure."""
    from launch.actions import Shutdown

    def ended(event: Any, context: Any) -> list[Any] | None:
        refused = event.returncode == Status.USAGE
        return [Shutdown(reason=node.name)] if node.ends_graph or refused else None

    return ended


def actions(graph: Graph) -> list[Any]:
    """Its environment, then its processes."""
    from launch.actions import SetEnvironmentVariable
    from launch_ros.actions import Node

    environment = [SetEnvironmentVariable(*item) for item in graph.environment]
    nodes = [
        Node(
            package=PACKAGE,
            executable=node.executable,
            name=node.name,
            namespace=node.namespace,
            parameters=[*graph.parameter_files, dict(node.parameters)],
            remappings=node.remappings,
            ros_arguments=['--enclave', node.enclave] if node.secured else None,
            respawn=node.respawn,
            respawn_delay=RESPAWN_DELAY_S,
            on_exit=ending(node),
            output='screen',
        )
        for node in graph.nodes
    ]
    return [*environment, *nodes]
