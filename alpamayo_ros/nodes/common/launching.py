"""What the launch files share: a graph of ``bringup`` as a launch description.

``launch`` is imported inside, because it is part of a ROS installation and not on PyPI; there
``alpamayo up`` starts the same graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alpamayo_ros.bringup import PACKAGE, RESPAWN_DELAY_S, Graph
from alpamayo_ros.graph_options import Options, choices, parse_options


def description(graph: Callable[[Options], Graph]) -> Any:
    """One launch argument per field of ``Options``, then the processes of the graph."""
    from launch.actions import DeclareLaunchArgument, OpaqueFunction
    from launch.substitutions import LaunchConfiguration

    from launch import LaunchDescription  # type: ignore[attr-defined]  # the folder launch/

    names = [choice.name for choice in choices()]

    def started(context: Any) -> list[Any]:
        given = {name: LaunchConfiguration(name).perform(context) for name in names}
        return actions(graph(parse_options(given)))

    arguments = [
        DeclareLaunchArgument(c.name, default_value=str(c.default), description=c.sentence)
        for c in choices()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=started)])


def actions(graph: Graph) -> list[Any]:
    """Its environment, then its processes."""
    from launch.actions import SetEnvironmentVariable, Shutdown
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
            on_exit=[Shutdown()] if node.ends_graph else None,
            output='screen',
        )
        for node in graph.nodes
    ]
    return [*environment, *nodes]
