"""alpamayo_ros: a reasoning vision-language-action driver as a ROS 2 package."""

__version__ = '0.1.0'
