"""The graph in the rendered world: `ros2 launch alpamayo_ros simulator.launch.py seed:=3`."""

from alpamayo_ros.bringup import simulator
from alpamayo_ros.nodes.common.launching import description


def generate_launch_description():
    """The arguments are the options of `alpamayo_ros.graph_options.Options`."""
    return description(simulator)
