"""The graph on a test vehicle: `ros2 launch alpamayo_ros vehicle.launch.py topics:=mine.yaml`."""

from alpamayo_ros.bringup import vehicle
from alpamayo_ros.nodes.common.launching import description


def generate_launch_description():
    """The arguments are the options of `alpamayo_ros.graph_options.Options`."""
    return description(vehicle)
