"""The graph on a recorded bag: `ros2 launch alpamayo_ros replay.launch.py bag:=drive.mcap`."""

from alpamayo_ros.bringup import replay
from alpamayo_ros.nodes.common.launching import description


def generate_launch_description():
    """The arguments are the options of `alpamayo_ros.graph_options.Options`."""
    return description(replay)
