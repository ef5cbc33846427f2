"""The graph on a test vehicle.

`ros2 launch alpamayo_ros vehicle.launch.py topics:=my_topics.yaml`
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from alpamayo_ros.bringup import PACKAGE, Options, option_names, parse_options, vehicle
from launch import LaunchDescription


def _actions(context):
    graph = vehicle(
        parse_options(
            {name: LaunchConfiguration(name).perform(context) for name in option_names()}
        )
    )
    environment = [SetEnvironmentVariable(*item) for item in graph.environment]
    return environment + [
        Node(
            package=PACKAGE,
            executable=node.executable,
            name=node.name,
            namespace=node.namespace,
            parameters=[*graph.parameter_files, dict(node.parameters)],
            remappings=node.remappings,
            respawn=node.respawn,
            respawn_delay=1.0,
            on_exit=[Shutdown()] if node.ends_graph else None,
            output='screen',
        )
        for node in graph.nodes
    ]


def generate_launch_description():
    """One launch argument per option of `bringup.Options`, then the processes of the graph."""
    arguments = [
        DeclareLaunchArgument(name, default_value=str(getattr(Options(), name)))
        for name in option_names()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_actions)])
