"""The vehicle graph under SROS 2: `ros2 launch alpamayo_ros secure.launch.py topics:=mine.yaml`.

It refuses to start unless ROS_SECURITY_ENABLE is true, ROS_SECURITY_STRATEGY is Enforce and
ROS_SECURITY_KEYSTORE holds an enclave of every node.
"""

import os

from alpamayo_ros.bringup import vehicle
from alpamayo_ros.nodes.common.launching import description
from alpamayo_ros.security.enforcement import secured


def generate_launch_description():
    """The arguments are the options of `alpamayo_ros.graph_options.Options`."""
    return description(lambda options: secured(vehicle(options), os.environ), 'vehicle')
